package dev.gptq.graph.pass;

import dev.gptq.GptqException;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.Subgraph;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Brings nodes of opsets 6 to 12 to their opset 13 form, the oldest in which ONNX Runtime dequantizes per channel:
 *
 * <ul>
 *   <li>attributes that became inputs: Clip, Squeeze, Unsqueeze, Pad, Slice, ReduceSum, Split, TopK;
 *   <li>attributes that went: BatchNormalization's spatial, Dropout's ratio;
 *   <li>Softmax, LogSoftmax and Hardmax, which worked on a flattened matrix before 13;
 *   <li>operators that have another name now: Upsample (Resize), Scatter (ScatterElements), and Resize of opset 10;
 *   <li>the broadcasting of opset 6, which an attribute asks for.
 * </ul>
 *
 * Graphs of opset 13 and later stay as they are.
 */
public final class OpsetUpgrade {
    private static final int TARGET = 13;
    private static final float LOWEST = -Float.MAX_VALUE;
    /** What is rewritten here. The bodies of If, Loop and Scan are not, so they may not hold it. */
    private static final Set<String> CHANGED = Set.of(
            "Clip",
            "Squeeze",
            "Unsqueeze",
            "Pad",
            "Slice",
            "ReduceSum",
            "Split",
            "TopK",
            "BatchNormalization",
            "Dropout",
            "Softmax",
            "LogSoftmax",
            "Hardmax",
            "Upsample",
            "Resize",
            "Scatter");

    private final Graph graph;
    private final Rewriting rewriting;
    private final Map<String, Integer> ranks;
    private final List<Node> nodes = new ArrayList<>();

    private OpsetUpgrade(Graph graph) {
        this.graph = graph;
        this.rewriting = new Rewriting(graph);
        this.ranks = Ranks.of(graph);
    }

    /**
     * The same function at opset 13, or the graph itself where it is of a later one.
     *
     * @throws GptqException UNSUPPORTED_MODEL when the body of an If, Loop or Scan would have to be rewritten
     */
    public static Graph apply(Graph graph) {
        return graph.opset() >= TARGET ? graph : new OpsetUpgrade(graph).upgrade();
    }

    private Graph upgrade() {
        requireUnchangedBodies();
        graph.nodes().forEach(this::upgrade);
        return new Graph(graph.name(), TARGET, graph.inputs(), graph.outputs(), rewriting.constants(), nodes);
    }

    private void requireUnchangedBodies() {
        for (Node node : graph.nodes()) {
            Set<String> changed = new TreeSet<>();
            for (Subgraph body : node.subgraphs().values()) {
                changed.addAll(body.operators());
            }
            changed.retainAll(CHANGED);
            if (!changed.isEmpty() || node.is("Scan") && graph.opset() < 9) {
                throw GptqException.unsupported(
                        "Cannot bring model '%s' from opset %d to %d: the body of '%s' (%s) holds %s in an older form. Export"
                                + " the model at opset %d or later.",
                        graph.name(), graph.opset(), TARGET, node.name(), node.opType(), changed, TARGET);
            }
        }
    }

    private void upgrade(Node node) {
        switch (node.opType()) {
            case "Clip" -> nodes.add(clip(node));
            case "Squeeze", "Unsqueeze", "ReduceSum" -> nodes.add(attributeAsInput(node, "axes"));
            case "Split" -> nodes.add(attributeAsInput(node, "split"));
            case "TopK" -> nodes.add(topK(node));
            case "Pad" -> nodes.add(pad(node));
            case "Slice" -> nodes.add(slice(node));
            case "Dropout" -> nodes.add(without(node, "ratio", "seed", "is_test"));
            case "BatchNormalization" -> nodes.add(without(node, "spatial", "is_test"));
            case "Softmax", "LogSoftmax", "Hardmax" -> softmax(node);
            case "Upsample" -> upsample(node);
            case "Resize" -> resize(node);
            case "Scatter" ->
                nodes.add(new Node(node.name(), "ScatterElements", node.inputs(), node.outputs(), node.attributes()));
            case "Gemm" -> nodes.add(without(node, "broadcast"));
            case "PRelu" -> prelu(node);
            case "Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less" -> broadcast(node);
            default -> nodes.add(node);
        }
    }

    /** Before opset 11 the bounds are attributes, with the whole float range as default. */
    private Node clip(Node node) {
        if (graph.opset() >= 11) {
            return node;
        }
        String min = rewriting.constant(node, "min", scalar(node.real("min", LOWEST)));
        String max = rewriting.constant(node, "max", scalar(node.real("max", Float.MAX_VALUE)));
        return withInputs(without(node, "min", "max"), node.input(0), min, max);
    }

    private Node attributeAsInput(Node node, String attribute) {
        long[] values = node.integers(attribute, null);
        if (values == null) {
            return node;
        }
        String constant = rewriting.constant(node, attribute, longs(values));
        return withInputs(without(node, attribute), node.input(0), constant);
    }

    private Node topK(Node node) {
        if (graph.opset() >= 10) {
            return node;
        }
        String k = rewriting.constant(node, "k", longs(new long[] {node.integer("k", 1)}));
        return withInputs(without(node, "k"), node.input(0), k);
    }

    private Node pad(Node node) {
        if (graph.opset() >= 11) {
            return node;
        }
        String pads = rewriting.constant(node, "pads", longs(node.integers("pads", new long[0])));
        String value = rewriting.constant(node, "value", scalar(node.real("value", 0)));
        return withInputs(without(node, "pads", "value"), node.input(0), pads, value);
    }

    private Node slice(Node node) {
        if (graph.opset() >= 10) {
            return node;
        }
        long[] starts = node.integers("starts", new long[0]);
        long[] axes = node.integers("axes", null);
        if (axes == null) {
            axes = new long[starts.length];
            Arrays.setAll(axes, i -> i);
        }
        return withInputs(
                without(node, "starts", "ends", "axes"),
                node.input(0),
                rewriting.constant(node, "starts", longs(starts)),
                rewriting.constant(node, "ends", longs(node.integers("ends", new long[0]))),
                rewriting.constant(node, "axes", longs(axes)));
    }

    private void upsample(Node node) {
        TensorData attribute = LegacyResize.attributeScales(node);
        if (attribute != null) {
            String name = rewriting.constant(node, "scales", attribute);
            nodes.addAll(LegacyResize.upgrade(node, attribute, name, rewriting));
        } else {
            resizeByInput(node);
        }
    }

    private void resize(Node node) {
        if (graph.opset() >= 11) {
            nodes.add(node);
        } else {
            resizeByInput(node);
        }
    }

    private void resizeByInput(Node node) {
        TensorData scales = graph.constants().get(node.input(1));
        nodes.addAll(
                LegacyResize.upgrade(node, LegacyResize.isKnown(scales) ? scales : null, node.input(1), rewriting));
    }

    /** Before opset 7 the slope of PRelu belongs to the channels, whatever comes behind them. */
    private void prelu(Node node) {
        TensorData slope = graph.constants().get(node.input(1));
        Integer rank = ranks.get(node.input(0));
        if (graph.opset() >= 7 || slope == null || slope.size() == 1 || rank == null) {
            nodes.add(node);
            return;
        }
        long[] shape = new long[rank - 1];
        Arrays.fill(shape, 1);
        shape[0] = slope.size();
        nodes.add(withInputs(node, node.input(0), rewriting.constant(node, "slope", slope.reshape(shape))));
    }

    /** Before opset 7 the second operand is aligned at an axis of the first; without one at its last axes, as now. */
    private void broadcast(Node node) {
        long axis = node.integer("axis", -1);
        Integer left = ranks.get(node.input(0));
        Integer right = ranks.get(node.input(1));
        Node plain = without(node, "broadcast", "axis");
        if (graph.opset() >= 7 || axis < 0 || left == null || right == null || axis + right >= left) {
            nodes.add(plain);
            return;
        }
        long[] axes = new long[(int) (left - axis - right)];
        Arrays.setAll(axes, i -> right + i);
        String aligned = rewriting.tensor(node, "aligned");
        String at = rewriting.constant(node, "axes", longs(axes));
        nodes.add(new Node(
                rewriting.node(node, "align"), "Unsqueeze", List.of(node.input(1), at), List.of(aligned), Map.of()));
        nodes.add(withInputs(plain, node.input(0), aligned));
    }

    /**
     * Before opset 13 softmax flattens its input to a matrix at the axis. That is the softmax over one axis when the axis is
     * the last; else the graph flattens, applies it to the rows, and restores the shape.
     */
    private void softmax(Node node) {
        long axis = node.integer("axis", 1);
        Integer rank = ranks.get(node.input(0));
        if (axis == -1 || (rank != null && axis == rank - 1)) {
            nodes.add(with(node, Map.of("axis", -1L)));
            return;
        }
        String shape = rewriting.tensor(node, "shape");
        String rows = rewriting.tensor(node, "rows");
        String result = rewriting.tensor(node, "result");
        nodes.add(new Node(rewriting.node(node, "shape"), "Shape", List.of(node.input(0)), List.of(shape), Map.of()));
        nodes.add(new Node(
                rewriting.node(node, "flatten"),
                "Flatten",
                List.of(node.input(0)),
                List.of(rows),
                Map.of("axis", axis)));
        nodes.add(new Node(node.name(), node.opType(), List.of(rows), List.of(result), Map.of("axis", -1L)));
        nodes.add(
                new Node(rewriting.node(node, "reshape"), "Reshape", List.of(result, shape), node.outputs(), Map.of()));
    }

    private static TensorData scalar(float value) {
        return TensorData.ofFloats(new float[] {value});
    }

    private static TensorData longs(long[] values) {
        return TensorData.ofLongs(ElementType.INT64, values, values.length);
    }

    private static Node withInputs(Node node, String... inputs) {
        return node.withInputs(List.of(inputs));
    }

    private static Node without(Node node, String... attributes) {
        Map<String, Serializable> rest = new HashMap<>(node.attributes());
        rest.keySet().removeAll(Arrays.asList(attributes));
        return new Node(node.name(), node.opType(), node.inputs(), node.outputs(), rest);
    }

    private static Node with(Node node, Map<String, Serializable> attributes) {
        Map<String, Serializable> all = new HashMap<>(node.attributes());
        all.putAll(attributes);
        return new Node(node.name(), node.opType(), node.inputs(), node.outputs(), all);
    }
}
