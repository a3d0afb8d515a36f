package dev.gptq.calibrate;

import dev.gptq.calibrate.ActivationTensors.Candidate;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.MovingOperators;
import dev.gptq.graph.Node;
import dev.gptq.graph.pattern.Unit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which quantizers make ONNX Runtime 1.23 run an operator on integers; any other quantizer would cost accuracy and gain
 * nothing.
 *
 * <ul>
 *   <li>Convolutions, products of two activations, averages, concatenations, LeakyRelu, Sigmoid and Softmax need one
 *       on every operand and one behind them.
 *   <li>Linear layers with a constant kernel need one on their operand; what they yield may stay real.
 *   <li>Sums, products and choices (Where) of elements become integer ones when their operands are on grids anyway, as in
 *       a residual block. Where only one is, as in a transformer's residual stream, they stay in float.
 *   <li>All else runs in float: sums and products with a constant, whose kernel asks for a constant on a grid, too; Resize
 *       with interpolation, which would cut off fractions.
 * </ul>
 */
final class IntegerKernels {
    private static final Set<String> BOTH_SIDES =
            Set.of("Conv", "AveragePool", "GlobalAveragePool", "LeakyRelu", "Sigmoid", "Softmax", "Concat", "MatMul");
    private static final Set<String> ELEMENTWISE = Set.of("Add", "Mul", "Where");
    private static final Set<String> LIMITS = Set.of("Relu", "Clip");

    private enum Role {
        BOTH_SIDES,
        OPERANDS,
        ELEMENTWISE,
        FLOAT
    }

    private final Graph graph;
    private final Map<Node, Unit> units;
    private final Map<String, Candidate> candidates;
    private final Map<String, Node> producers;
    private final Map<String, List<Node>> consumers;
    private final Set<String> layers = new HashSet<>();
    private final Set<String> wanted = new HashSet<>();

    IntegerKernels(Graph graph, Map<Node, Unit> units, Map<String, Candidate> candidates) {
        this.graph = graph;
        this.units = units;
        this.candidates = candidates;
        this.producers = graph.producers();
        this.consumers = graph.consumers();
        ComparePoints.of(graph).forEach(point -> layers.add(point.name()));
    }

    Set<String> tensors() {
        for (Candidate candidate : candidates.values()) {
            Role producer = candidate.head() == null ? Role.FLOAT : role(candidate.head());
            boolean read = readers(candidate.tensor()).stream()
                    .map(this::role)
                    .anyMatch(role -> role == Role.BOTH_SIDES || role == Role.OPERANDS);
            boolean put = producer == Role.OPERANDS && isPutOut(candidate.tensor());
            if (producer == Role.BOTH_SIDES || read || put) {
                wanted.add(candidate.tensor());
            }
        }
        int before;
        do {
            before = wanted.size();
            candidates.values().forEach(this::addElementwise);
        } while (wanted.size() > before);
        return wanted;
    }

    /**
     * The quantized tensors that integer kernels and others read, with the nodes that lead to integer kernels; without those
     * whose producer is an integer kernel itself, which has to end on the grid. After {@link #tensors}.
     */
    Map<String, List<Node>> readInBothWays() {
        Map<String, List<Node>> integerReaders = new LinkedHashMap<>();
        for (Candidate candidate : candidates.values()) {
            String tensor = candidate.tensor();
            if (candidate.head() == null || !wanted.contains(tensor) || isInteger(candidate.head())) {
                continue;
            }
            List<Node> all = consumers.getOrDefault(tensor, List.of());
            List<Node> integer =
                    all.stream().filter(node -> leadsToInteger(node, tensor)).toList();
            if (!integer.isEmpty() && (integer.size() < all.size() || graph.isOutput(tensor))) {
                integerReaders.put(tensor, integer);
            }
        }
        return integerReaders;
    }

    private boolean leadsToInteger(Node reader, String tensor) {
        return moves(reader) && reader.input(0).equals(tensor)
                ? reader.outputs().stream()
                        .flatMap(output -> readers(output).stream())
                        .anyMatch(this::isInteger)
                : isInteger(reader);
    }

    /** Whether ONNX Runtime runs a node on integers with the quantizers that are wanted. */
    private boolean isInteger(Node node) {
        Role role = role(node);
        if (role != Role.ELEMENTWISE) {
            return role != Role.FLOAT;
        }
        return candidates.values().stream()
                        .anyMatch(candidate -> candidate.head() == node && wanted.contains(candidate.tensor()))
                && operands(node).stream().map(this::source).allMatch(wanted::contains);
    }

    private Role role(Node node) {
        boolean constant = operands(node).stream().anyMatch(graph::isConstant);
        if (units.containsKey(node)) {
            return Role.FLOAT;
        }
        if (node.is("Gemm") || node.is("MatMul") && constant) {
            return layers.contains(node.name()) || !constant ? Role.OPERANDS : Role.FLOAT;
        }
        if (node.is("Conv") || BOTH_SIDES.contains(node.opType()) && !constant) {
            return Role.BOTH_SIDES;
        }
        return ELEMENTWISE.contains(node.opType()) && !constant ? Role.ELEMENTWISE : Role.FLOAT;
    }

    /** The real numbers that a node works on: all inputs but the condition of a Where. */
    private static List<String> operands(Node node) {
        return node.is("Where") ? node.inputs().subList(1, node.inputs().size()) : node.inputs();
    }

    /** What reads the tensor's values, wherever they are moved first. */
    private List<Node> readers(String tensor) {
        List<Node> readers = new ArrayList<>();
        for (Node node : consumers.getOrDefault(tensor, List.of())) {
            if (moves(node) && node.input(0).equals(tensor)) {
                node.outputs().forEach(output -> readers.addAll(readers(output)));
            } else {
                readers.add(node);
            }
        }
        return readers;
    }

    private boolean isPutOut(String tensor) {
        return graph.isOutput(tensor)
                || consumers.getOrDefault(tensor, List.of()).stream()
                        .filter(this::moves)
                        .anyMatch(node -> node.outputs().stream().anyMatch(this::isPutOut));
    }

    private boolean moves(Node node) {
        return !IntegerBranches.isBranch(graph, node) && MovingOperators.moves(node) || node.is("Cast");
    }

    /** The tensor with a grid of its own that the values of {@code tensor} come from. */
    private String source(String tensor) {
        String current = tensor;
        while (!candidates.containsKey(current) && producers.containsKey(current) && moves(producers.get(current))) {
            current = producers.get(current).input(0);
        }
        return current;
    }

    private void addElementwise(Candidate candidate) {
        if (candidate.head() == null || role(candidate.head()) != Role.ELEMENTWISE) {
            return;
        }
        List<String> operands =
                operands(candidate.head()).stream().map(this::source).toList();
        boolean onGrids = operands.stream().anyMatch(wanted::contains)
                && operands.stream().allMatch(operand -> wanted.contains(operand) || isGate(operand));
        boolean useful = wanted.contains(candidate.tensor())
                || isPutOut(candidate.tensor())
                || readers(candidate.tensor()).stream().anyMatch(node -> role(node) == Role.ELEMENTWISE);
        if (onGrids && useful) {
            wanted.addAll(operands);
            wanted.add(candidate.tensor());
        }
    }

    /** Whether a tensor is made by a limited function of elements, whose values a few bits hold well. */
    private boolean isGate(String tensor) {
        Candidate candidate = candidates.get(tensor);
        if (candidate == null || candidate.head() == null) {
            return false;
        }
        Unit unit = units.get(candidate.head());
        return candidate.head().is("HardSigmoid")
                || unit != null
                        && unit.kind() == Unit.Kind.ELEMENTWISE
                        && unit.nodes().stream().anyMatch(node -> LIMITS.contains(node.opType()));
    }
}
