package dev.gptq.graph;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One operator of a graph. An absent optional input or output is the empty string. Attribute values are Long, Float,
 * String, {@code long[]}, {@code float[]}, {@code List<String>}, {@link TensorData} or {@link Subgraph}. Behind its own
 * inputs a node with subgraphs lists the tensors that these capture, subgraph by subgraph in the order of attribute names.
 */
public record Node(
        String name, String opType, List<String> inputs, List<String> outputs, Map<String, Serializable> attributes)
        implements Serializable {
    public Node {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        attributes = Map.copyOf(attributes);
    }

    /** The input at {@code index}, or the empty string when it is absent. */
    public String input(int index) {
        return index < inputs.size() ? inputs.get(index) : "";
    }

    public boolean hasInput(int index) {
        return !input(index).isEmpty();
    }

    /** The inputs without those that subgraphs capture. */
    public List<String> ownInputs() {
        return inputs.subList(
                0,
                inputs.size()
                        - subgraphs().values().stream()
                                .mapToInt(body -> body.captured().size())
                                .sum());
    }

    /** The attributes that are subgraphs, by name in sorted order. */
    public SortedMap<String, Subgraph> subgraphs() {
        SortedMap<String, Subgraph> subgraphs = new TreeMap<>();
        attributes.forEach((attribute, value) -> {
            if (value instanceof Subgraph subgraph) {
                subgraphs.put(attribute, subgraph);
            }
        });
        return subgraphs;
    }

    /** The first output. */
    public String output() {
        return outputs.get(0);
    }

    public boolean is(String type) {
        return opType.equals(type);
    }

    public long integer(String attribute, long defaultValue) {
        Object value = attributes.get(attribute);
        return value == null ? defaultValue : (Long) value;
    }

    public float real(String attribute, float defaultValue) {
        Object value = attributes.get(attribute);
        return value == null ? defaultValue : (Float) value;
    }

    public String text(String attribute, String defaultValue) {
        Object value = attributes.get(attribute);
        return value == null ? defaultValue : (String) value;
    }

    /** The integer list, or {@code defaultValue} (which may be null) when the attribute is absent. */
    public long[] integers(String attribute, long[] defaultValue) {
        Object value = attributes.get(attribute);
        return value == null ? defaultValue : (long[]) value;
    }

    public Node withInputs(List<String> newInputs) {
        return new Node(name, opType, newInputs, outputs, attributes);
    }

    public Node withOutputs(List<String> newOutputs) {
        return new Node(name, opType, inputs, newOutputs, attributes);
    }
}
