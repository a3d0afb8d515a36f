package dev.gptq.graph;

import dev.gptq.GptqException;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One operator of a graph. An absent optional input or output is the empty string. Attribute values are Long, Float,
 * String, {@code long[]}, {@code float[]}, {@code List<String>}, {@link TensorData} or {@link Subgraph}. Behind its own
 * inputs a node with subgraphs lists the tensors that these capture, subgraph by subgraph in the order of attribute names.
 *
 * @param opType the operator's name; of one outside ONNX's own domain, {@code domain.name}
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

    /** @throws GptqException BAD_INPUT when the attribute is of another type, as for the getters below */
    public long integer(String attribute, long defaultValue) {
        Long value = attribute(attribute, Long.class);
        return value == null ? defaultValue : value;
    }

    public float real(String attribute, float defaultValue) {
        Float value = attribute(attribute, Float.class);
        return value == null ? defaultValue : value;
    }

    public String text(String attribute, String defaultValue) {
        String value = attribute(attribute, String.class);
        return value == null ? defaultValue : value;
    }

    /** The integer list, or {@code defaultValue} (which may be null) when the attribute is absent. */
    public long[] integers(String attribute, long[] defaultValue) {
        long[] value = attribute(attribute, long[].class);
        return value == null ? defaultValue : value;
    }

    private <T> T attribute(String attribute, Class<T> type) {
        Object value = attributes.get(attribute);
        if (value != null && !type.isInstance(value)) {
            throw GptqException.badInput(
                    "Cannot use attribute '%s' of node '%s' (%s): it is a %s, not a %s. Export the model again.",
                    attribute, name, opType, value.getClass().getSimpleName(), type.getSimpleName());
        }
        return type.cast(value);
    }

    public Node withInputs(List<String> newInputs) {
        return new Node(name, opType, newInputs, outputs, attributes);
    }

    public Node withOutputs(List<String> newOutputs) {
        return new Node(name, opType, inputs, newOutputs, attributes);
    }
}
