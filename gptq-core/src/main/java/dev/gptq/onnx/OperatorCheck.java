package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import dev.gptq.GptqException;
import dev.gptq.graph.Node;
import dev.gptq.graph.SupportedOperators;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Finds everything in a model that cannot be run, so that one message tells all of it. */
final class OperatorCheck {
    private OperatorCheck() {}

    static void requireSupported(OnnxMl.GraphProto graph, String source) {
        Map<String, List<String>> unsupported = new TreeMap<>();
        for (int i = 0; i < graph.getNodeCount(); i++) {
            OnnxMl.NodeProto node = graph.getNode(i);
            boolean standard = GraphReader.isDefaultDomain(node.getDomain());
            if (!standard || !SupportedOperators.NAMES.contains(node.getOpType())) {
                String operator = standard ? node.getOpType() : node.getDomain() + "." + node.getOpType();
                unsupported.computeIfAbsent(operator, key -> new ArrayList<>()).add(nameOf(node, i));
            }
        }
        if (!unsupported.isEmpty()) {
            List<String> parts = new ArrayList<>();
            unsupported.forEach((operator, nodes) -> parts.add(operator + " (" + String.join(", ", nodes) + ")"));
            throw GptqException.unsupported(
                    "Cannot read model %s: unsupported operators: %s. Replace them, or cut them off the model.",
                    source, String.join("; ", parts));
        }
    }

    static void requireSupportedForms(List<Node> nodes, String source) {
        List<String> problems = new ArrayList<>();
        for (Node node : nodes) {
            String problem = SupportedOperators.problem(node);
            if (problem != null) {
                problems.add("'" + node.name() + "' (" + node.opType() + ") has " + problem);
            }
        }
        if (!problems.isEmpty()) {
            throw GptqException.unsupported(
                    "Cannot read model %s: unsupported forms of operators: %s. Replace them, or cut them off the model.",
                    source, String.join("; ", problems));
        }
    }

    private static String nameOf(OnnxMl.NodeProto node, int index) {
        return node.getName().isEmpty() ? "node " + index : node.getName();
    }
}
