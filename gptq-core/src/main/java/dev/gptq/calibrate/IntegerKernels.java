package dev.gptq.calibrate;

import dev.gptq.calibrate.ActivationTensors.Candidate;
import dev.gptq.graph.Graph;
import dev.gptq.graph.MovingOperators;
import dev.gptq.graph.Node;
import dev.gptq.graph.pattern.Unit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which quantizers make ONNX Runtime 1.23 run an operator on integers; any other quantizer would cost accuracy and gain nothing.
 *
 * <ul>
 *   <li>Convolutions, products of two activations, averages, concatenations, LeakyRelu, Sigmoid and Softmax need one
 *       on every operand and one behind them.
 *   <li>Linear layers with a constant kernel need one on their operand; what they yield may stay real.
 *   <li>Sums and products of elements become integer ones when their operands are on grids anyway, as in a residual
 *       block. Where only one is, as in a transformer's residual stream, they stay in float.
 *   <li>All else runs in float.
 * </ul>
 */
final class IntegerKernels {
    private static final Set<String> BOTH_SIDES =
            Set.of("Conv", "AveragePool", "GlobalAveragePool", "LeakyRelu", "Sigmoid", "Softmax", "Concat", "MatMul");
    private static final Set<String> ELEMENTWISE = Set.of("Add", "Mul");
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
    private final Set<String> wanted = new HashSet<>();

    IntegerKernels(Graph graph, Map<Node, Unit> units, Map<String, Candidate> candidates) {
        this.graph = graph;
        this.units = units;
        this.candidates = candidates;
        this.producers = graph.producers();
        this.consumers = graph.consumers();
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

    private Role role(Node node) {
        boolean constant = node.inputs().stream().anyMatch(graph::isConstant);
        if (units.containsKey(node)) {
            return Role.FLOAT;
        }
        if (node.is("Gemm") || node.is("MatMul") && graph.isConstant(node.input(1))) {
            return Role.OPERANDS;
        }
        if (node.is("Conv") || BOTH_SIDES.contains(node.opType()) && !constant) {
            return Role.BOTH_SIDES;
        }
        return ELEMENTWISE.contains(node.opType()) && !constant ? Role.ELEMENTWISE : Role.FLOAT;
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
        return MovingOperators.moves(node) || node.is("Cast");
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
                candidate.head().inputs().stream().map(this::source).toList();
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
