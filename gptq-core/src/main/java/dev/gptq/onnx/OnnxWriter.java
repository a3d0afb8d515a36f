package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.ByteString;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.Subgraph;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.io.Serializable;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Writes graphs as ONNX model files. */
public final class OnnxWriter {
    private static final String PRODUCER = "spark-gptq";
    private static final String DYNAMIC_BATCH = "N";
    private static final long DYNAMIC = -1;
    private static final int SMALLEST_OUTSIDE = 1024;

    private OnnxWriter() {}

    /** Serializes a graph; equal graphs give equal bytes. Constants become initializers in the graph's order. */
    public static byte[] write(Graph graph) {
        return proto(graph, Map.of()).toByteArray();
    }

    /**
     * Serializes a graph of any size. Constants stay in the model's file when they fit into it; else all but the smallest,
     * which runtimes want at hand for shape inference, go into a second one beside it.
     *
     * @param limit the most bytes of constants in the model's file, {@link OnnxModel#LARGEST_FILE} or less
     * @param location the name of the second file
     */
    public static OnnxModel write(Graph graph, long limit, String location) {
        long total = graph.constants().values().stream()
                .mapToLong(TensorWriter::byteCount)
                .sum();
        if (total <= limit) {
            return OnnxModel.of(write(graph));
        }
        Map<String, TensorData> outside = new LinkedHashMap<>();
        Map<String, OnnxMl.TensorProto> references = new HashMap<>();
        long end = 0;
        for (Map.Entry<String, TensorData> constant : graph.constants().entrySet()) {
            long bytes = TensorWriter.byteCount(constant.getValue());
            // ONNX Runtime's Java API has no tensors of INT4 that it could be given.
            if (bytes >= SMALLEST_OUTSIDE && constant.getValue().type() != ElementType.INT4) {
                long offset = OnnxModel.onPage(end);
                references.put(constant.getKey(), reference(constant.getValue(), location, offset, bytes));
                outside.put(constant.getKey(), constant.getValue());
                end = offset + bytes;
            }
        }
        return new OnnxModel(proto(graph, references).toByteArray(), outside);
    }

    private static OnnxMl.TensorProto reference(TensorData tensor, String location, long offset, long bytes) {
        return TensorWriter.describe(tensor)
                .setDataLocation(OnnxMl.TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", location))
                .addExternalData(entry("offset", Long.toString(offset)))
                .addExternalData(entry("length", Long.toString(bytes)))
                .build();
    }

    private static OnnxMl.StringStringEntryProto entry(String key, String value) {
        return OnnxMl.StringStringEntryProto.newBuilder()
                .setKey(key)
                .setValue(value)
                .build();
    }

    /** {@code references} has what stands for constants that lie outside. */
    private static OnnxMl.ModelProto proto(Graph graph, Map<String, OnnxMl.TensorProto> references) {
        OnnxMl.GraphProto.Builder proto = OnnxMl.GraphProto.newBuilder();
        proto.setName(graph.name().isEmpty() ? "model" : graph.name());
        graph.inputs().forEach(input -> proto.addInput(valueInfo(input)));
        graph.outputs().forEach(output -> proto.addOutput(valueInfo(output)));
        graph.constants().forEach((name, tensor) -> {
            OnnxMl.TensorProto reference = references.get(name);
            OnnxMl.TensorProto constant = reference == null ? TensorWriter.write(tensor) : reference;
            proto.addInitializer(constant.toBuilder().setName(name));
        });
        graph.nodes().forEach(node -> proto.addNode(node(node)));
        OnnxMl.ModelProto.Builder model = OnnxMl.ModelProto.newBuilder()
                .setIrVersion(irVersion(graph.opset()))
                .setProducerName(PRODUCER)
                .addOpsetImport(
                        OnnxMl.OperatorSetIdProto.newBuilder().setDomain("").setVersion(graph.opset()));
        graph.nodes().stream()
                .map(node -> domain(node.opType()))
                .filter(domain -> !domain.isEmpty())
                .distinct()
                .forEach(domain -> model.addOpsetImport(
                        OnnxMl.OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(1)));
        return model.setGraph(proto).build();
    }

    /**
     * The oldest IR version that goes with an opset (ONNX versioning table), at least the one that frees initializers
     * from being listed as inputs.
     */
    private static int irVersion(int opset) {
        if (opset <= 9) {
            return 4;
        }
        if (opset == 10) {
            return 5;
        }
        if (opset == 11) {
            return 6;
        }
        if (opset <= 14) {
            return 7;
        }
        if (opset <= 18) {
            return 8;
        }
        if (opset <= 20) {
            return 9;
        }
        return opset <= 22 ? 10 : 11;
    }

    private static OnnxMl.ValueInfoProto valueInfo(ValueInfo value) {
        if (value.type() == null) {
            return OnnxMl.ValueInfoProto.newBuilder().setName(value.name()).build();
        }
        OnnxMl.TypeProto.Tensor.Builder type =
                OnnxMl.TypeProto.Tensor.newBuilder().setElemType(value.type().onnxCode());
        if (value.shape() != null) {
            type.setShape(shape(value));
        }
        return OnnxMl.ValueInfoProto.newBuilder()
                .setName(value.name())
                .setType(OnnxMl.TypeProto.newBuilder().setTensorType(type))
                .build();
    }

    private static OnnxMl.TensorShapeProto shape(ValueInfo value) {
        OnnxMl.TensorShapeProto.Builder shape = OnnxMl.TensorShapeProto.newBuilder();
        for (int i = 0; i < value.shape().length; i++) {
            OnnxMl.TensorShapeProto.Dimension.Builder dimension = OnnxMl.TensorShapeProto.Dimension.newBuilder();
            if (value.shape()[i] != DYNAMIC) {
                dimension.setDimValue(value.shape()[i]);
            } else if (i == 0) {
                dimension.setDimParam(DYNAMIC_BATCH);
            } else {
                // Dynamic dimensions of equal name would claim to be equal.
                dimension.setDimParam(value.name() + "_" + i);
            }
            shape.addDim(dimension);
        }
        return shape.build();
    }

    /** What stands before the last dot of an operator; ONNX's own operators have no dot. */
    private static String domain(String opType) {
        return opType.substring(0, Math.max(0, opType.lastIndexOf('.')));
    }

    private static OnnxMl.NodeProto node(Node node) {
        OnnxMl.NodeProto.Builder proto = OnnxMl.NodeProto.newBuilder()
                .setName(node.name())
                .setOpType(node.opType().substring(node.opType().lastIndexOf('.') + 1))
                .addAllInput(node.ownInputs())
                .addAllOutput(node.outputs());
        if (!domain(node.opType()).isEmpty()) {
            proto.setDomain(domain(node.opType()));
        }
        Iterator<String> captured = node.inputs()
                .subList(node.ownInputs().size(), node.inputs().size())
                .iterator();
        // Sorted, because the order within a node's map is not defined.
        new TreeMap<>(node.attributes()).forEach((name, value) -> proto.addAttribute(attribute(name, value, captured)));
        return proto.build();
    }

    private static OnnxMl.AttributeProto attribute(String name, Serializable value, Iterator<String> captured) {
        OnnxMl.AttributeProto.Builder proto = OnnxMl.AttributeProto.newBuilder().setName(name);
        if (value instanceof Long number) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.INT).setI(number);
        } else if (value instanceof Float number) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.FLOAT).setF(number);
        } else if (value instanceof String text) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.STRING).setS(ByteString.copyFromUtf8(text));
        } else if (value instanceof long[] numbers) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.INTS);
            for (long number : numbers) {
                proto.addInts(number);
            }
        } else if (value instanceof float[] numbers) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.FLOATS);
            for (float number : numbers) {
                proto.addFloats(number);
            }
        } else if (value instanceof TensorData tensor) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.TENSOR).setT(TensorWriter.write(tensor));
        } else if (value instanceof Subgraph body) {
            List<String> current =
                    body.captured().stream().map(tensor -> captured.next()).toList();
            proto.setType(OnnxMl.AttributeProto.AttributeType.GRAPH).setG(Subgraphs.write(body, current));
        } else if (value instanceof List<?> texts) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.STRINGS);
            texts.forEach(text -> proto.addStrings(ByteString.copyFromUtf8((String) text)));
        } else {
            throw new IllegalArgumentException("Cannot write attribute '" + name + "' of " + value.getClass());
        }
        return proto.build();
    }
}
