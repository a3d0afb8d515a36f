package dev.gptq.compensate;

import dev.gptq.graph.Node;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where the rows that a layer multiplies its kernel with come from: layers with equal sources read the same rows.
 *
 * @param tensor that they are made of
 * @param geometry how a convolution cuts patches; empty for a matrix product, whose rows lie along the last axis
 */
record RowSource(String tensor, String geometry) implements Serializable {
    /** The source for {@code node} with a kernel of {@code kernelShape}. */
    static RowSource of(Node node, long[] kernelShape) {
        if (!node.is("Conv")) {
            return new RowSource(node.input(0), "");
        }
        Map<String, Object> geometry = new TreeMap<>(node.attributes());
        geometry.put("patch", Arrays.copyOfRange(kernelShape, 1, kernelShape.length));
        geometry.replaceAll((name, value) -> Arrays.deepToString(new Object[] {value}));
        return new RowSource(node.input(0), geometry.toString());
    }
}
