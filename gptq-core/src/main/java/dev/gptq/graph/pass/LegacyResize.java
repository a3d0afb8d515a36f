package dev.gptq.graph.pass;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Upsample (opsets 7 to 9) and Resize of opset 10 as Resize of opset 13. They map positions without an offset
 * ("asymmetric"); nearest elements are taken by rounding down, and where Resize of opset 10 shrinks an axis by rounding up, as
 * ONNX Runtime has it.
 */
final class LegacyResize {
    private LegacyResize() {}

    /**
     * One node, or two in a row where one axis grows and another shrinks.
     *
     * @param scales the scales, or null when they are known only at run time (taken to grow)
     * @param scalesName the tensor of the scales
     * @param rewriting makes constants and names
     */
    static List<Node> upgrade(Node node, TensorData scales, String scalesName, Rewriting rewriting) {
        boolean nearest = node.text("mode", "nearest").equals("nearest");
        boolean shrinks = scales != null && shrinks(scales.floats());
        boolean grows = scales == null || grows(scales.floats());
        if (!nearest || !shrinks || !grows) {
            String rounding = shrinks && nearest && node.is("Resize") ? "ceil" : "floor";
            return List.of(resize(node, node.input(0), scalesName, node.output(), node.name(), rounding));
        }
        float[] larger = scales.floats().clone();
        float[] smaller = scales.floats().clone();
        for (int i = 0; i < larger.length; i++) {
            larger[i] = Math.max(1, larger[i]);
            smaller[i] = Math.min(1, smaller[i]);
        }
        String grown = rewriting.tensor(node, "grown");
        String up = rewriting.constant(node, "scales_up", TensorData.ofFloats(larger, larger.length));
        String down = rewriting.constant(node, "scales_down", TensorData.ofFloats(smaller, smaller.length));
        String rounding = node.is("Resize") ? "ceil" : "floor";
        return List.of(
                resize(node, node.input(0), up, grown, rewriting.node(node, "up"), "floor"),
                resize(node, grown, down, node.output(), node.name(), rounding));
    }

    private static boolean shrinks(float[] scales) {
        for (float scale : scales) {
            if (scale < 1) {
                return true;
            }
        }
        return false;
    }

    private static boolean grows(float[] scales) {
        for (float scale : scales) {
            if (scale > 1) {
                return true;
            }
        }
        return false;
    }

    private static Node resize(Node node, String input, String scales, String output, String name, String rounding) {
        Map<String, Serializable> attributes = new HashMap<>();
        // "bilinear" is a name of opsets before 7 that some exporters kept.
        attributes.put("mode", node.text("mode", "nearest").contains("linear") ? "linear" : "nearest");
        attributes.put("coordinate_transformation_mode", "asymmetric");
        attributes.put("nearest_mode", rounding);
        return new Node(name, "Resize", List.of(input, "", scales), List.of(output), attributes);
    }

    /** The scales of an Upsample of opset 7, which are an attribute. */
    static TensorData attributeScales(Node node) {
        return node.attributes().get("scales") instanceof float[] scales
                ? TensorData.ofFloats(scales, scales.length)
                : null;
    }

    /** Whether a tensor holds scales that are known. */
    static boolean isKnown(TensorData scales) {
        return scales != null && scales.type() == ElementType.FLOAT32;
    }
}
