package dev.gptq.testing;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Builds small graphs: inputs "x", "y", ... as the test names them, and a float output "out". */
public final class GraphBuilder {
    private final int opset;
    private final List<ValueInfo> inputs = new ArrayList<>();
    private final Map<String, TensorData> constants = new LinkedHashMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private final List<ValueInfo> outputs = new ArrayList<>();

    public GraphBuilder(int opset) {
        this.opset = opset;
    }

    public GraphBuilder input(String name, long... shape) {
        return input(name, ElementType.FLOAT32, shape);
    }

    public GraphBuilder input(String name, ElementType type, long... shape) {
        inputs.add(new ValueInfo(name, type, shape));
        return this;
    }

    /** A constant of random values. */
    public GraphBuilder weight(String name, long... shape) {
        return constant(name, Models.random(name.hashCode(), shape));
    }

    public GraphBuilder constant(String name, TensorData value) {
        constants.put(name, value);
        return this;
    }

    /** A one-dimensional int64 constant. */
    public GraphBuilder longs(String name, long... values) {
        return constant(name, TensorData.ofLongs(ElementType.INT64, values, values.length));
    }

    /** A float32 scalar constant. */
    public GraphBuilder scalar(String name, float value) {
        return constant(name, TensorData.ofFloats(new float[] {value}));
    }

    /**
     * A node named as its first output; inputs and outputs are separated by blanks, "-" is an absent one; attributes as
     * name, value pairs.
     */
    public GraphBuilder node(String opType, String inputNames, String outputNames, Object... attributes) {
        List<String> names = names(inputNames);
        List<String> results = names(outputNames);
        Map<String, Serializable> values = new HashMap<>();
        for (int i = 0; i < attributes.length; i += 2) {
            Object value = attributes[i + 1];
            Serializable attribute =
                    value instanceof Integer integer ? (Long) integer.longValue() : (Serializable) value;
            values.put((String) attributes[i], attribute);
        }
        nodes.add(new Node(results.get(0), opType, names, results, values));
        return this;
    }

    private static List<String> names(String separated) {
        List<String> names = new ArrayList<>();
        for (String name : separated.isEmpty() ? new String[0] : separated.split(" ")) {
            names.add(name.equals("-") ? "" : name);
        }
        return names;
    }

    public GraphBuilder output(String name, ElementType type) {
        outputs.add(new ValueInfo(name, type, null));
        return this;
    }

    /** The graph; its output is the float tensor "out" unless the test added outputs. */
    public Graph build() {
        List<ValueInfo> declared =
                outputs.isEmpty() ? List.of(new ValueInfo("out", ElementType.FLOAT32, null)) : outputs;
        return new Graph("test", opset, inputs, declared, constants, nodes);
    }
}
