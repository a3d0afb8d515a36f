package dev.gptq.engine;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.onnx.RuntimeTensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One node as a model of its own in ONNX Runtime, on one thread. Element types that ONNX Runtime's Java API lacks enter and
 * leave as INT64 and are converted inside.
 */
final class RuntimeNode implements AutoCloseable {
    private static final String INPUT = "node_input_";
    private static final String OUTPUT = "node_output_";

    private final Node node;
    private final boolean[] fed;
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    /**
     * Loads the node.
     *
     * @param inputs values of its inputs, of which the types matter; null for absent ones
     * @param constants those that become part of the model, null elsewhere
     */
    RuntimeNode(Node node, int opset, TensorData[] inputs, TensorData[] constants) {
        this.node = node;
        this.fed = new boolean[inputs.length];
        for (int i = 0; i < fed.length; i++) {
            fed[i] = inputs[i] != null && constants[i] == null;
        }
        OrtSession first = open(model(opset, inputs, constants, Map.of()));
        try {
            Map<String, ElementType> carried = carriedOutputs(first);
            if (!carried.isEmpty()) {
                first.close();
                first = open(model(opset, inputs, constants, carried));
            }
        } catch (OrtException e) {
            throw failure(e);
        }
        this.session = first;
    }

    /** @param inputs values of all inputs, of constants too; null for absent ones */
    TensorData[] run(TensorData[] inputs) {
        RuntimeIndices.check(node, inputs);
        Map<String, OnnxTensorLike> feeds = new LinkedHashMap<>();
        try {
            for (int i = 0; i < inputs.length; i++) {
                if (fed[i]) {
                    feeds.put(INPUT + i, RuntimeTensors.toRuntime(environment, inputs[i]));
                }
            }
            TensorData[] outputs = new TensorData[node.outputs().size()];
            try (OrtSession.Result result = session.run(feeds)) {
                for (Map.Entry<String, OnnxValue> output : result) {
                    int index = Integer.parseInt(output.getKey().substring(OUTPUT.length()));
                    if (!(output.getValue() instanceof OnnxTensor tensor)) {
                        throw GptqException.unsupported(
                                "Cannot run node '%s' (%s): its output '%s' is no tensor. Replace it in the model.",
                                node.name(), node.opType(), node.outputs().get(index));
                    }
                    outputs[index] =
                            RuntimeTensors.fromRuntime(tensor, node.outputs().get(index));
                }
            }
            return outputs;
        } catch (OrtException e) {
            throw failure(e);
        } finally {
            feeds.values().forEach(OnnxTensorLike::close);
        }
    }

    private byte[] model(
            int opset, TensorData[] inputs, TensorData[] constants, Map<String, ElementType> carriedOutputs) {
        List<ValueInfo> given = new ArrayList<>();
        List<ValueInfo> results = new ArrayList<>();
        Map<String, TensorData> initializers = new LinkedHashMap<>();
        List<Node> nodes = new ArrayList<>();
        List<String> inputNames = new ArrayList<>();
        List<String> outputNames = new ArrayList<>();
        for (int i = 0; i < inputs.length; i++) {
            String name = inputs[i] == null ? "" : INPUT + i;
            if (fed[i] && inputs[i].type().isCarried()) {
                given.add(new ValueInfo(name, ElementType.INT64, null));
                nodes.add(cast(name, name + "_typed", inputs[i].type()));
                name += "_typed";
            } else if (fed[i]) {
                given.add(new ValueInfo(name, inputs[i].type(), null));
            } else if (inputs[i] != null) {
                initializers.put(name, constants[i]);
            }
            inputNames.add(name);
        }
        List<Node> casts = new ArrayList<>();
        for (int i = 0; i < node.outputs().size(); i++) {
            String name = node.outputs().get(i).isEmpty() ? "" : OUTPUT + i;
            if (!name.isEmpty()) {
                results.add(new ValueInfo(name, null, null));
            }
            if (carriedOutputs.containsKey(name)) {
                casts.add(cast(name + "_typed", name, ElementType.INT64));
                name += "_typed";
            }
            outputNames.add(name);
        }
        nodes.add(new Node(node.name(), node.opType(), inputNames, outputNames, node.attributes()));
        nodes.addAll(casts);
        return OnnxWriter.write(new Graph(node.name(), opset, given, results, initializers, nodes));
    }

    private static Node cast(String from, String to, ElementType type) {
        return new Node(to, "Cast", List.of(from), List.of(to), Map.of("to", (long) type.onnxCode()));
    }

    private static Map<String, ElementType> carriedOutputs(OrtSession session) throws OrtException {
        Map<String, ElementType> carried = new HashMap<>();
        for (NodeInfo output : session.getOutputInfo().values()) {
            if (output.getInfo() instanceof TensorInfo tensor) {
                for (ElementType type : ElementType.values()) {
                    if (type.isCarried() && tensor.onnxType.name().endsWith("_" + type.name())) {
                        carried.put(output.getName(), type);
                    }
                }
            }
        }
        return carried;
    }

    private OrtSession open(byte[] model) {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setInterOpNumThreads(1);
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
            return environment.createSession(model, options);
        } catch (OrtException e) {
            throw failure(e);
        }
    }

    private GptqException failure(OrtException e) {
        String reason = String.valueOf(e.getMessage()).replaceAll("\\s+", " ").trim();
        return new GptqException(
                ErrorCode.UNSUPPORTED_MODEL,
                "Cannot run node '" + node.name() + "' (" + node.opType() + "): ONNX Runtime says: " + reason
                        + ". Replace it in the model.",
                e);
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime failed to close node " + node.name(), e);
        }
    }
}
