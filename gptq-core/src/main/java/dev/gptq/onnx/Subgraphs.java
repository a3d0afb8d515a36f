package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.gptq.graph.Subgraph;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds and renames the tensors that the bodies of If, Loop and Scan read from around them. */
final class Subgraphs {
    private Subgraphs() {}

    static Subgraph read(OnnxMl.GraphProto body) {
        Set<String> captured = new LinkedHashSet<>();
        Set<String> locals = new HashSet<>();
        Set<String> operators = new HashSet<>();
        collect(body, Set.of(), captured, locals, operators);
        return new Subgraph(body.toByteArray(), List.copyOf(captured), locals, operators);
    }

    /** The body with its captured tensors, in order, under the names {@code current}. */
    static OnnxMl.GraphProto write(Subgraph subgraph, List<String> current) {
        Map<String, String> names = new HashMap<>();
        for (int i = 0; i < current.size(); i++) {
            names.put(subgraph.captured().get(i), current.get(i));
        }
        try {
            return rename(OnnxMl.GraphProto.parseFrom(subgraph.proto()), names);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a body that was read before cannot be parsed", e);
        }
    }

    private static void collect(
            OnnxMl.GraphProto body,
            Set<String> around,
            Set<String> captured,
            Set<String> locals,
            Set<String> operators) {
        Set<String> known = new HashSet<>(around);
        body.getInputList().forEach(input -> known.add(input.getName()));
        body.getInitializerList().forEach(constant -> known.add(constant.getName()));
        body.getNodeList().forEach(node -> known.addAll(node.getOutputList()));
        known.add("");
        locals.addAll(known);
        for (OnnxMl.NodeProto node : body.getNodeList()) {
            operators.add(node.getOpType());
            node.getInputList().stream().filter(input -> !known.contains(input)).forEach(captured::add);
            for (OnnxMl.AttributeProto attribute : node.getAttributeList()) {
                if (attribute.hasG()) {
                    collect(attribute.getG(), known, captured, locals, operators);
                }
            }
        }
        body.getOutputList().stream()
                .map(OnnxMl.ValueInfoProto::getName)
                .filter(output -> !known.contains(output))
                .forEach(captured::add);
    }

    private static OnnxMl.GraphProto rename(OnnxMl.GraphProto body, Map<String, String> names) {
        OnnxMl.GraphProto.Builder renamed = body.toBuilder();
        for (OnnxMl.NodeProto.Builder node : renamed.getNodeBuilderList()) {
            for (int i = 0; i < node.getInputCount(); i++) {
                node.setInput(i, names.getOrDefault(node.getInput(i), node.getInput(i)));
            }
            for (OnnxMl.AttributeProto.Builder attribute : node.getAttributeBuilderList()) {
                if (attribute.hasG()) {
                    attribute.setG(rename(attribute.getG(), names));
                }
            }
        }
        for (OnnxMl.ValueInfoProto.Builder output : renamed.getOutputBuilderList()) {
            output.setName(names.getOrDefault(output.getName(), output.getName()));
        }
        return renamed.build();
    }
}
