package dev.gptq.export;

import dev.gptq.GptqException;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.Subgraph;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Raises a graph of opset 13 or later to a later one. On the way changed
 *
 * <ul>
 *   <li>at 16 RoiAlign, which now has to say that it takes no half pixel off;
 *   <li>at 18 the reductions, whose axes became an input, and Split, which without sizes has to say how many outputs it has;
 *   <li>at 20 GridSample's names of modes, and DFT, whose axis became an input;
 *   <li>at 21 GroupNormalization, whose scale became one of channels instead of groups.
 * </ul>
 *
 * A change in the body of an If, Loop or Scan, and the last one, are refused: the model keeps its opset then.
 */
final class OpsetRaising {
    private static final int ROI_ALIGN = 16;
    private static final int ROI_ALIGN_WITHOUT_KERNEL = 22;
    private static final int AXES_AS_INPUT = 18;
    private static final int MODES_AND_DFT = 20;
    private static final int GROUP_NORMALIZATION = 21;
    private static final int DFT_AXIS_INPUT = 2;

    private static final Set<String> REDUCTIONS = Set.of(
            "ReduceMean",
            "ReduceMax",
            "ReduceMin",
            "ReduceProd",
            "ReduceL1",
            "ReduceL2",
            "ReduceLogSum",
            "ReduceLogSumExp",
            "ReduceSumSquare");

    private OpsetRaising() {}

    /** The same function at {@code opset}; a graph that is at or above it stays as it is. */
    static Graph raise(Graph graph, int opset) {
        if (opset <= graph.opset()) {
            return graph;
        }
        GraphEditor editor = new GraphEditor(graph);
        for (Node node : graph.nodes()) {
            for (Subgraph body : node.subgraphs().values()) {
                body.operators().forEach(operator -> requireUnchanged(graph, operator, node, opset));
            }
            if (node.is("GroupNormalization")) {
                requireUnchanged(graph, node.opType(), node, opset);
            }
            if (node.is("RoiAlign") && opset >= ROI_ALIGN_WITHOUT_KERNEL) {
                throw GptqException.unsupported(
                        "Cannot export at opset %d: ONNX Runtime 1.23 does not run '%s' (RoiAlign) from opset %d on. Set"
                                + " quantization.opset to %d at most.",
                        opset, node.name(), ROI_ALIGN_WITHOUT_KERNEL, ROI_ALIGN_WITHOUT_KERNEL - 1);
            }
            editor.add(isCrossed(graph, changedAt(node.opType()), opset) ? raised(editor, node) : node);
        }
        return at(opset, editor.build());
    }

    private static void requireUnchanged(Graph graph, String operator, Node node, int opset) {
        if (isCrossed(graph, changedAt(operator), opset)) {
            throw GptqException.unsupported(
                    "Cannot export at opset %d: %s in node '%s' (%s) changed its form after opset %d. Set quantization.opset"
                            + " to %d.",
                    opset, operator, node.name(), node.opType(), graph.opset(), graph.opset());
        }
    }

    private static boolean isCrossed(Graph graph, int change, int opset) {
        return graph.opset() < change && opset >= change;
    }

    /** The first opset with another form of the operator than the one before; beyond all opsets when there is none. */
    private static int changedAt(String operator) {
        if (REDUCTIONS.contains(operator)) {
            return AXES_AS_INPUT;
        }
        return switch (operator) {
            case "RoiAlign" -> ROI_ALIGN;
            case "Split" -> AXES_AS_INPUT;
            case "GridSample", "DFT" -> MODES_AND_DFT;
            case "GroupNormalization" -> GROUP_NORMALIZATION;
            default -> Integer.MAX_VALUE;
        };
    }

    private static Node raised(GraphEditor editor, Node node) {
        return switch (node.opType()) {
            case "RoiAlign" -> with(node, node.inputs(), "coordinate_transformation_mode", "output_half_pixel");
            case "Split" ->
                node.hasInput(1)
                        ? node
                        : with(node, node.inputs(), "num_outputs", (long)
                                node.outputs().size());
            case "GridSample" ->
                with(node, node.inputs(), "mode", node.text("mode", "bilinear").replaceFirst("^bi", ""));
            case "DFT" -> dft(editor, node);
            default -> axesAsInput(editor, node);
        };
    }

    private static Node dft(GraphEditor editor, Node node) {
        List<String> inputs = new ArrayList<>(node.inputs());
        while (inputs.size() < DFT_AXIS_INPUT) {
            inputs.add("");
        }
        long[] axis = {node.integer("axis", 1)};
        inputs.add(editor.constant(node.output() + "_axis", TensorData.ofLongs(ElementType.INT64, axis)));
        return with(node, inputs, "axis", null);
    }

    private static Node axesAsInput(GraphEditor editor, Node node) {
        long[] axes = node.integers("axes", null);
        if (axes == null) {
            return node;
        }
        List<String> inputs = new ArrayList<>(node.inputs());
        inputs.add(editor.constant(node.output() + "_axes", TensorData.ofLongs(ElementType.INT64, axes, axes.length)));
        return with(node, inputs, "axes", null);
    }

    /** The node with other inputs and one attribute set, or removed when {@code value} is null. */
    private static Node with(Node node, List<String> inputs, String attribute, Serializable value) {
        Map<String, Serializable> attributes = new HashMap<>(node.attributes());
        if (value == null) {
            attributes.remove(attribute);
        } else {
            attributes.put(attribute, value);
        }
        return new Node(node.name(), node.opType(), inputs, node.outputs(), attributes);
    }

    private static Graph at(int opset, Graph graph) {
        return new Graph(
                graph.name(),
                opset,
                graph.inputs(),
                graph.outputs(),
                graph.constants(),
                graph.nodes(),
                graph.moments());
    }
}
