package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import dev.gptq.GptqException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds attributes that ONNX forbids and that ONNX Runtime does not refuse: a stride of zero, for instance, ends the whole
 * process. Nodes in the bodies of If, Loop and Scan are looked at, too.
 */
final class AttributeLimits {
    private static final Set<String> WINDOWS = Set.of(
            "Conv",
            "ConvInteger",
            "ConvTranspose",
            "DeformConv",
            "QLinearConv",
            "AveragePool",
            "LpPool",
            "MaxPool",
            "MaxUnpool");

    /** By attribute of these, what each of its numbers must be at least. */
    private static final Map<String, Integer> LEAST = Map.of(
            "strides", 1,
            "dilations", 1,
            "kernel_shape", 1,
            "group", 1,
            "pads", 0,
            "output_padding", 0,
            "output_shape", 1);

    /** By further operator, its attribute that must be at least one. */
    private static final Map<String, String> POSITIVE = Map.of(
            "GroupNormalization", "num_groups",
            "DepthToSpace", "blocksize",
            "SpaceToDepth", "blocksize",
            "Split", "num_outputs");

    private final List<String> problems = new ArrayList<>();

    private AttributeLimits() {}

    /** @throws GptqException BAD_INPUT that names all nodes with such attributes */
    static void require(OnnxMl.GraphProto graph, String source) {
        AttributeLimits limits = new AttributeLimits();
        limits.check(graph);
        if (!limits.problems.isEmpty()) {
            throw GptqException.badInput(
                    "Cannot read model %s: its attributes are impossible: %s. Export it again; onnx.checker helps to find out"
                            + " why.",
                    source, String.join("; ", limits.problems));
        }
    }

    private void check(OnnxMl.GraphProto graph) {
        for (int i = 0; i < graph.getNodeCount(); i++) {
            OnnxMl.NodeProto node = graph.getNode(i);
            String problem = problem(node);
            if (problem != null) {
                String name = node.getName().isEmpty() ? "node " + i : "'" + node.getName() + "'";
                problems.add(name + " (" + node.getOpType() + ") has " + problem);
            }
            for (OnnxMl.AttributeProto attribute : node.getAttributeList()) {
                if (attribute.hasG()) {
                    check(attribute.getG());
                }
            }
        }
    }

    private static String problem(OnnxMl.NodeProto node) {
        Map<String, List<Long>> given = new HashMap<>();
        for (OnnxMl.AttributeProto attribute : node.getAttributeList()) {
            Integer least = least(node.getOpType(), attribute.getName());
            if (least == null) {
                continue;
            }
            List<Long> numbers =
                    attribute.getIntsCount() > 0 || attribute.getType() != OnnxMl.AttributeProto.AttributeType.INT
                            ? attribute.getIntsList()
                            : List.of(attribute.getI());
            if (numbers.stream().anyMatch(number -> number < least || number > Integer.MAX_VALUE)) {
                return attribute.getName() + " " + numbers;
            }
            given.put(attribute.getName(), numbers);
        }
        return unequalRanks(given);
    }

    private static Integer least(String operator, String attribute) {
        if (WINDOWS.contains(operator)) {
            return LEAST.get(attribute);
        }
        return attribute.equals(POSITIVE.get(operator)) ? Integer.valueOf(1) : null;
    }

    private static String unequalRanks(Map<String, List<Long>> given) {
        int rank = -1;
        for (String attribute : List.of("kernel_shape", "strides", "dilations", "pads", "output_padding")) {
            List<Long> numbers = given.getOrDefault(attribute, List.of());
            int perDimension = attribute.equals("pads") ? 2 : 1;
            if (numbers.isEmpty()) {
                continue;
            }
            if (rank >= 0 && numbers.size() != rank * perDimension) {
                return attribute + " " + numbers + " for " + rank + " spatial dimensions";
            }
            rank = numbers.size() / perDimension;
        }
        return null;
    }
}
