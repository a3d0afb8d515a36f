package dev.gptq.calibrate;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.ElementTypes;
import dev.gptq.graph.Graph;
import dev.gptq.graph.MovingOperators;
import dev.gptq.graph.Node;
import dev.gptq.graph.ValueInfo;
import dev.gptq.graph.pattern.Unit;
import dev.gptq.graph.pattern.Units;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which tensors get an activation quantizer: model inputs and op outputs, the last tensor of each fused group. Nothing inside
 * a {@link Unit} does, and no mask, see {@link Masks}. What is fused depends on the target; for ONNX Runtime, tensors between
 * operators that it runs in float whatever is quantized get none either, see {@link IntegerKernels}.
 */
final class ActivationTensors {
    /** Operators that make real numbers, but no activations. */
    private static final Set<String> MADE_FROM_SHAPES = Set.of("ConstantOfShape", "Range", "EyeLike");

    private final Graph graph;
    private final Fusing fusing;
    private final Map<String, List<Node>> consumers;
    private final Map<String, Node> producers;
    private final Map<Node, Unit> units = new HashMap<>();
    private final Map<String, Candidate> candidates = new LinkedHashMap<>();

    /**
     * A tensor that may get a quantizer.
     *
     * @param head the first node of the fused group, or null for a model input
     * @param names of all nodes of the group
     */
    record Candidate(String tensor, Node head, List<String> names) {}

    private ActivationTensors(Graph graph, Fusing fusing) {
        this.graph = graph;
        this.fusing = fusing;
        this.consumers = graph.consumers();
        this.producers = graph.producers();
        for (Unit unit : Units.of(graph)) {
            unit.nodes().forEach(node -> units.put(node, unit));
        }
    }

    /** The tensors of a prepared graph that get a quantizer for any target, in graph order. */
    static Set<String> ofAnyTarget(Graph prepared) {
        Set<String> tensors = new HashSet<>();
        for (Fusing target : Fusing.values()) {
            tensors.addAll(namesByTensor(prepared, target).keySet());
        }
        Set<String> ordered = new LinkedHashSet<>();
        prepared.inputs().forEach(input -> ordered.add(input.name()));
        prepared.nodes().forEach(node -> ordered.addAll(node.outputs()));
        ordered.retainAll(tensors);
        return ordered;
    }

    /**
     * The quantized tensors in graph order, each with the names of the nodes that share its quantizer (the fused group), or
     * a model input's own name.
     */
    static Map<String, List<String>> namesByTensor(Graph prepared, Fusing fusing) {
        ActivationTensors tensors = new ActivationTensors(prepared, fusing);
        tensors.find();
        Set<String> wanted = fusing == Fusing.ONNX_RUNTIME
                ? new IntegerKernels(prepared, tensors.units, tensors.candidates).tensors()
                : tensors.candidates.keySet();
        Map<String, List<String>> names = new LinkedHashMap<>();
        tensors.candidates.values().stream()
                .filter(candidate -> wanted.contains(candidate.tensor()))
                .forEach(candidate -> names.put(candidate.tensor(), candidate.names()));
        return names;
    }

    /** For ONNX Runtime: {@link IntegerKernels#readInBothWays}. */
    static Map<String, List<Node>> readInBothWays(Graph prepared) {
        ActivationTensors tensors = new ActivationTensors(prepared, Fusing.ONNX_RUNTIME);
        tensors.find();
        IntegerKernels kernels = new IntegerKernels(prepared, tensors.units, tensors.candidates);
        kernels.tensors();
        return kernels.readInBothWays();
    }

    private void find() {
        Set<String> notReal = notRealTensors(graph);
        notReal.addAll(Masks.of(graph));
        for (ValueInfo input : graph.inputs()) {
            if (!notReal.contains(input.name())) {
                candidates.put(input.name(), new Candidate(input.name(), null, List.of(input.name())));
            }
        }
        Map<String, ComparePoint> layers = new HashMap<>();
        ComparePoints.of(graph).forEach(point -> layers.put(point.weight(), point));
        // The group that a tensor's node belongs to, when the node is not its first one.
        Map<String, Candidate> groups = new HashMap<>();
        for (Node node : graph.nodes()) {
            Unit unit = units.get(node);
            if (moves(node) || unit != null && unit.exit() != node) {
                continue;
            }
            Candidate group = groups.get(node.output());
            List<String> names = new ArrayList<>(group == null ? List.of() : group.names());
            boolean smoothing = SmoothedGraph.isSmoothing(graph, node);
            if (IntegerBranches.isBranch(graph, node) || smoothing) {
                // Who sets something of a layer's output means the branch, where the quantizer is.
                names.addAll(namesBefore(node.input(0)));
            }
            if (!smoothing || !SmoothedGraph.isNew(node)) {
                (unit == null ? List.of(node) : unit.nodes()).forEach(member -> names.add(member.name()));
            }
            Node head = group == null ? node : group.head();
            ComparePoint layer = node.hasInput(1) ? layers.get(node.input(1)) : null;
            if (layer != null && !layer.output().equals(node.output())) {
                // A MatMul whose bias is a following Add: the Add's output stands for the layer.
                groups.put(layer.output(), new Candidate(layer.output(), head, names));
                continue;
            }
            // What has been joined once is joined further only when it is a layer's bias.
            boolean last = group != null && !isBias(node, head);
            for (String output : node.outputs()) {
                if (output.isEmpty() || notReal.contains(output)) {
                    continue;
                }
                String joined = last || unit != null ? null : joined(output, head.opType());
                String tensor = joined == null ? output : joined;
                (joined == null ? candidates : groups).put(tensor, new Candidate(tensor, head, names));
            }
        }
    }

    /** The names of the group whose output {@code tensor} is, or is made from by moving values. */
    private List<String> namesBefore(String tensor) {
        String current = tensor;
        Node producer = producers.get(current);
        while (!candidates.containsKey(current) && producer != null && moves(producer)) {
            current = producer.input(0);
            producer = producers.get(current);
        }
        return candidates.containsKey(current) ? candidates.get(current).names() : List.of();
    }

    private static boolean isBias(Node node, Node head) {
        return head.is("MatMul") && node.is("Add") && node.inputs().contains(head.output());
    }

    private boolean moves(Node node) {
        boolean table = node.is("Gather") && graph.isConstant(node.input(0));
        return !table && !IntegerBranches.isBranch(graph, node) && MovingOperators.moves(node) || node.is("Cast");
    }

    /** The output of what is computed together with the operator that writes {@code tensor}, or null. */
    private String joined(String tensor, String operator) {
        List<Node> readers = consumers.getOrDefault(tensor, List.of());
        if (readers.isEmpty() || graph.isOutput(tensor)) {
            return null;
        }
        Node reader = readers.get(0);
        Unit unit = units.get(reader);
        if (unit != null) {
            boolean alone = readers.stream().allMatch(other -> units.get(other) == unit);
            return alone && fusing.joins(operator, unit) ? unit.exit().output() : null;
        }
        boolean alone = readers.size() == 1 && reader.input(0).equals(tensor);
        return alone && fusing.joins(operator, reader.opType()) ? reader.output() : null;
    }

    /** Tensors of integers, truth values, shapes and unknown types, and what is made from shapes. */
    private static Set<String> notRealTensors(Graph graph) {
        Set<String> notReal = new HashSet<>();
        Map<String, ElementType> types = ElementTypes.of(graph);
        graph.inputs().stream()
                .map(ValueInfo::name)
                .filter(input -> !isReal(types, input))
                .forEach(notReal::add);
        for (Node node : graph.nodes()) {
            boolean moved = MovingOperators.moves(node) && notReal.contains(node.input(0));
            for (String output : node.outputs()) {
                if (MADE_FROM_SHAPES.contains(node.opType()) || moved || !isReal(types, output)) {
                    notReal.add(output);
                }
            }
        }
        return notReal;
    }

    private static boolean isReal(Map<String, ElementType> types, String tensor) {
        return types.containsKey(tensor) && types.get(tensor).isFloating();
    }
}
