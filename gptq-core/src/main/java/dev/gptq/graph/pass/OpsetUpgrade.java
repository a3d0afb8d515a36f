package dev.gptq.graph.pass;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Brings nodes of opsets 7 to 12 to their opset 13 form, the oldest in which ONNX Runtime dequantizes per channel:
 * attributes that became inputs (Clip, Squeeze, Unsqueeze, Pad, Slice, ReduceSum), attributes that went (BatchNormalization's
 * spatial, Dropout's ratio), and Softmax, which worked on a flattened matrix before 13. Graphs of opset 13 and later stay
 * as they are.
 */
public final class OpsetUpgrade {
    private static final int TARGET = 13;
    private static final float LOWEST = -Float.MAX_VALUE;

    private final Graph graph;
    private final Map<String, TensorData> constants;
    private final Names tensors;
    private final Names nodeNames;
    private final Map<String, Integer> ranks;
    private final List<Node> nodes = new ArrayList<>();

    private OpsetUpgrade(Graph graph) {
        this.graph = graph;
        this.constants = new LinkedHashMap<>(graph.constants());
        this.tensors = Names.ofTensors(graph);
        this.nodeNames = Names.ofNodes(graph);
        this.ranks = Ranks.of(graph);
    }

    /** The same function at opset 13, or the graph itself where it is of a later one. */
    public static Graph apply(Graph graph) {
        return graph.opset() >= TARGET ? graph : new OpsetUpgrade(graph).upgrade();
    }

    private Graph upgrade() {
        graph.nodes().forEach(this::upgrade);
        return new Graph(graph.name(), TARGET, graph.inputs(), graph.outputs(), constants, nodes);
    }

    private void upgrade(Node node) {
        switch (node.opType()) {
            case "Clip" -> nodes.add(clip(node));
            case "Squeeze", "Unsqueeze", "ReduceSum" -> nodes.add(axesAsInput(node));
            case "Pad" -> nodes.add(pad(node));
            case "Slice" -> nodes.add(slice(node));
            case "Dropout" -> nodes.add(without(node, "ratio", "seed"));
            case "BatchNormalization" -> nodes.add(without(node, "spatial"));
            case "Softmax", "LogSoftmax" -> softmax(node);
            default -> nodes.add(node);
        }
    }

    /** Before opset 11 the bounds are attributes, with the whole float range as default. */
    private Node clip(Node node) {
        if (graph.opset() >= 11) {
            return node;
        }
        String min = constant(node, "min", scalar(node.real("min", LOWEST)));
        String max = constant(node, "max", scalar(node.real("max", Float.MAX_VALUE)));
        return withInputs(without(node, "min", "max"), node.input(0), min, max);
    }

    private Node axesAsInput(Node node) {
        long[] axes = node.integers("axes", null);
        if (axes == null) {
            return node;
        }
        return withInputs(without(node, "axes"), node.input(0), constant(node, "axes", longs(axes)));
    }

    private Node pad(Node node) {
        if (graph.opset() >= 11) {
            return node;
        }
        String pads = constant(node, "pads", longs(node.integers("pads", new long[0])));
        String value = constant(node, "value", scalar(node.real("value", 0)));
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
                constant(node, "starts", longs(starts)),
                constant(node, "ends", longs(node.integers("ends", new long[0]))),
                constant(node, "axes", longs(axes)));
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
        String shape = tensors.fresh(node.name() + ".shape");
        String rows = tensors.fresh(node.name() + ".rows");
        String result = tensors.fresh(node.name() + ".result");
        nodes.add(new Node(
                nodeNames.fresh(node.name() + ".shape"), "Shape", List.of(node.input(0)), List.of(shape), Map.of()));
        nodes.add(new Node(
                nodeNames.fresh(node.name() + ".flatten"),
                "Flatten",
                List.of(node.input(0)),
                List.of(rows),
                Map.of("axis", axis)));
        nodes.add(new Node(node.name(), node.opType(), List.of(rows), List.of(result), Map.of("axis", -1L)));
        nodes.add(new Node(
                nodeNames.fresh(node.name() + ".reshape"),
                "Reshape",
                List.of(result, shape),
                node.outputs(),
                Map.of()));
    }

    private String constant(Node node, String role, TensorData value) {
        String name = tensors.fresh(node.name() + "." + role);
        constants.put(name, value);
        return name;
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
