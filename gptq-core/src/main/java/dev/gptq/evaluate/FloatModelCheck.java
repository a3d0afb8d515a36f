package dev.gptq.evaluate;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.GptqException;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.engine.TensorHook;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.ValueInfo;
import dev.gptq.onnx.OnnxModel;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Makes sure before any long work that the prepared graph in the engine is the model in the file. */
public final class FloatModelCheck {
    /** Largest difference that float32 arithmetic in another order explains, relative to the output's largest value. */
    private static final double TOLERANCE = 1e-4;

    private FloatModelCheck() {}

    /**
     * Loads the model in ONNX Runtime, which has to run it for the comparison and for evaluation.
     *
     * @throws dev.gptq.GptqException UNSUPPORTED_MODEL with what ONNX Runtime says of an operator, type or form it lacks
     */
    public static void requireLoadable(OnnxModel model) {
        try (OnnxSession session = new OnnxSession(model, "float")) {
            // Loading is the check.
        }
    }

    /**
     * Runs both on a batch and compares every output. The engine runs first: it refuses indices out of range with which some
     * operators end the process in ONNX Runtime.
     *
     * @param model the model, run in ONNX Runtime
     * @param prepared the prepared graph, on the CPU
     * @throws dev.gptq.GptqException UNSUPPORTED_MODEL naming the output that differs most
     */
    public static void check(OnnxModel model, GraphExecutor prepared, SampleBatch batch) {
        Map<String, double[]> actual = run(prepared, batch);
        String worst = null;
        double largest = TOLERANCE;
        try (OnnxSession session = new OnnxSession(model, "float")) {
            Map<String, ModelOutput> expected = session.run(batch.inputs());
            for (Map.Entry<String, double[]> output : actual.entrySet()) {
                double difference = difference(expected.get(output.getKey()).values(), output.getValue());
                if (!(difference <= largest)) {
                    worst = output.getKey();
                    largest = difference;
                }
            }
        }
        if (worst != null) {
            throw GptqException.unsupported(
                    "Cannot quantize the model: output '%s' differs from ONNX Runtime's by %.3g of its largest value, more"
                            + " than %.0e. Report the model, and quantize another export of it meanwhile.",
                    worst, largest, TOLERANCE);
        }
    }

    /** What the engine computes, but for outputs that are no real numbers. */
    private static Map<String, double[]> run(GraphExecutor prepared, SampleBatch batch) {
        Map<String, double[]> outputs = new LinkedHashMap<>();
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            Map<String, NDArray> feeds = new HashMap<>();
            for (ValueInfo input : prepared.graph().inputs()) {
                feeds.put(input.name(), Engines.toArray(scope, batch.inputs().get(input.name())));
            }
            prepared.run(scope, feeds, TensorHook.NONE).forEach((name, array) -> {
                if (array.getDataType().isFloating()) {
                    outputs.put(name, Engines.toDoubles(array));
                }
            });
        }
        return outputs;
    }

    /** Largest difference over largest magnitude; NaN or infinite when the values cannot be compared. */
    private static double difference(double[] expected, double[] actual) {
        if (actual.length != expected.length) {
            return Double.POSITIVE_INFINITY;
        }
        double magnitude = Double.MIN_NORMAL;
        double difference = 0;
        for (int i = 0; i < actual.length; i++) {
            magnitude = Math.max(magnitude, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs(expected[i] - actual[i]));
        }
        return difference / magnitude;
    }
}
