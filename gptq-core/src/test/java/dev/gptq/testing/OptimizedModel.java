package dev.gptq.testing;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The graph that ONNX Runtime makes of a model. */
public final class OptimizedModel {
    private static final Set<String> INTEGER_LAYERS =
            Set.of("QLinearConv", "QGemm", "QLinearMatMul", "MatMulIntegerToFloat");

    /** Without it, ONNX Runtime on x64 leaves int8 activations with several consumers in float. */
    private static final String INT8_ACTIVATIONS_ON_X64 = "session.qdqisint8allowed";

    private OptimizedModel() {}

    /** How often each operator occurs; {@code folder} takes a temporary file. */
    public static Map<String, Integer> operators(byte[] model, Path folder) {
        Path file = folder.resolve("optimized.onnx");
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.addConfigEntry(INT8_ACTIVATIONS_ON_X64, "1");
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.EXTENDED_OPT);
            options.setOptimizedModelFilePath(file.toString());
            OrtEnvironment.getEnvironment().createSession(model, options).close();
            Map<String, Integer> operators = new TreeMap<>();
            OnnxMl.ModelProto.parseFrom(Files.readAllBytes(file))
                    .getGraph()
                    .getNodeList()
                    .forEach(node -> operators.merge(node.getOpType(), 1, Integer::sum));
            return operators;
        } catch (OrtException e) {
            throw new IllegalStateException(e.getMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How many of {@link #operators} multiply integer activations with integer kernels. */
    public static int integerLayers(Map<String, Integer> operators) {
        return operators.entrySet().stream()
                .filter(entry -> INTEGER_LAYERS.contains(entry.getKey()))
                .mapToInt(Map.Entry::getValue)
                .sum();
    }
}
