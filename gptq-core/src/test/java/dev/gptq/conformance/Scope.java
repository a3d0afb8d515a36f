package dev.gptq.conformance;

import ai.onnx.proto.OnnxMl;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Decides from a model alone whether a case is one that this project has to pass. */
final class Scope {
    /** The rule, as the document states it. */
    static final List<String> RULE = List.of(
            "every operator is of ONNX's own domain (not `ai.onnx.ml` or `ai.onnx.preview.training`);",
            "no control flow: no attribute of any node holds a graph;",
            "no randomness: no operator of "
                    + "Bernoulli, Multinomial, RandomNormal, RandomNormalLike, RandomUniform, RandomUniformLike, and no"
                    + " Dropout with a training_mode input;",
            "no sequences, optional values or strings: all inputs, outputs, constants and Cast targets are tensors of"
                    + " float32, float64, int8 to int64, uint8 to uint64 or bool, and no operator takes or makes sequences."
                    + " Half precision (float16, bfloat16) is outside, since models of it are refused.");

    private static final Set<String> RANDOM = Set.of(
            "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike");

    private static final Set<DataType> TYPES = EnumSet.of(
            DataType.FLOAT,
            DataType.DOUBLE,
            DataType.INT8,
            DataType.INT16,
            DataType.INT32,
            DataType.INT64,
            DataType.UINT8,
            DataType.UINT16,
            DataType.UINT32,
            DataType.UINT64,
            DataType.BOOL);

    private Scope() {}

    /** Why the case is out of scope, or null when it is in. */
    static String exclusion(OnnxMl.ModelProto model) {
        OnnxMl.GraphProto graph = model.getGraph();
        for (OnnxMl.NodeProto node : graph.getNodeList()) {
            String reason = exclusion(node);
            if (reason != null) {
                return reason;
            }
        }
        List<OnnxMl.ValueInfoProto> values = new ArrayList<>(graph.getInputList());
        values.addAll(graph.getOutputList());
        for (OnnxMl.ValueInfoProto value : values) {
            if (!value.getType().hasTensorType()) {
                return value.getType().hasSequenceType() ? "sequences" : "optional values";
            }
            String reason = exclusion(value.getType().getTensorType().getElemType());
            if (reason != null) {
                return reason;
            }
        }
        for (OnnxMl.TensorProto constant : graph.getInitializerList()) {
            String reason = exclusion(constant.getDataType());
            if (reason != null) {
                return reason;
            }
        }
        return null;
    }

    private static String exclusion(OnnxMl.NodeProto node) {
        if (!node.getDomain().isEmpty() && !node.getDomain().equals("ai.onnx")) {
            return "domain " + node.getDomain();
        }
        if (RANDOM.contains(node.getOpType()) || node.getOpType().equals("Dropout") && node.getInputCount() > 2) {
            return "randomness";
        }
        if (node.getOpType().contains("Sequence") && !node.getOpType().equals("ReverseSequence")) {
            return "sequences";
        }
        for (OnnxMl.AttributeProto attribute : node.getAttributeList()) {
            if (attribute.getType() == AttributeType.GRAPH || attribute.getType() == AttributeType.GRAPHS) {
                return "control flow";
            }
            if (attribute.getType() == AttributeType.TENSOR) {
                String reason = exclusion(attribute.getT().getDataType());
                if (reason != null) {
                    return reason;
                }
            }
            if (node.getOpType().equals("Cast") && attribute.getName().equals("to")) {
                String reason = exclusion((int) attribute.getI());
                if (reason != null) {
                    return reason;
                }
            }
        }
        return null;
    }

    private static String exclusion(int code) {
        DataType type = DataType.forNumber(code);
        if (type == null || TYPES.contains(type)) {
            return null;
        }
        return switch (type) {
            case STRING -> "strings";
            case FLOAT16, BFLOAT16 -> "half precision";
            default -> "type " + type;
        };
    }
}
