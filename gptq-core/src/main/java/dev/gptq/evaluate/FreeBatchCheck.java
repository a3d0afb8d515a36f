package dev.gptq.evaluate;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.GptqException;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.engine.TensorHook;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.graph.pass.FreeBatch;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Tries whether a model that was made for one batch size does the same for each sample of a larger batch. */
public final class FreeBatchCheck {
    /** Largest difference that float32 arithmetic in another order explains, relative to the output's largest value. */
    private static final double TOLERANCE = 1e-4;

    private FreeBatchCheck() {}

    /**
     * Runs two random batches one by one through the model as it is, and both at once through the one with a dynamic batch.
     *
     * @param fixed the prepared graph of the model as it is
     * @param free that of {@link FreeBatch#apply}
     * @param source the model's name in messages
     * @throws GptqException UNSUPPORTED_MODEL with the reason when the answers differ
     */
    public static void check(Graph fixed, Graph free, String source) {
        ValueInfo input = FreeBatch.fixedInput(fixed);
        try {
            Map<String, TensorData> first = batch(fixed, 1);
            Map<String, TensorData> second = batch(fixed, 2);
            Map<String, TensorData> both = new HashMap<>();
            first.forEach((name, values) -> both.put(name, joined(values, second.get(name))));
            Map<String, float[]> together = run(free, both);
            Map<String, float[]> one = run(fixed, first);
            Map<String, float[]> other = run(fixed, second);
            for (String output : one.keySet()) {
                float[] expected = joined(one.get(output), other.get(output));
                if (!isClose(together.get(output), expected)) {
                    throw refused(input, source, "output '" + output + "' of two batches at once is not that of each");
                }
            }
        } catch (GptqException e) {
            if (e.getMessage().startsWith(start(input, source))) {
                throw e;
            }
            throw refused(input, source, "twice as many samples give: " + e.getMessage());
        }
    }

    private static String start(ValueInfo input, String source) {
        return String.format(
                "Cannot quantize '%s': input '%s' has the fixed batch size %d", source, input.name(), input.shape()[0]);
    }

    private static GptqException refused(ValueInfo input, String source, String reason) {
        String plain = reason.replaceAll("\\.$", "");
        return GptqException.unsupported(
                "%s, and the model takes no other: %s. Export the model with a dynamic batch dimension.",
                start(input, source), plain);
    }

    private static Map<String, TensorData> batch(Graph graph, long seed) {
        Random random = new Random(seed);
        Map<String, TensorData> values = new HashMap<>();
        for (ValueInfo input : graph.inputs()) {
            long[] shape = input.shape().clone();
            for (int axis = 0; axis < shape.length; axis++) {
                if (shape[axis] < 1) {
                    throw GptqException.unsupported(
                            "dimension %d of input '%s' is open, so that it cannot be tried", axis, input.name());
                }
            }
            int elements = Math.toIntExact(TensorData.elementCount(shape));
            if (input.type().isFloating()) {
                float[] numbers = new float[elements];
                for (int i = 0; i < elements; i++) {
                    numbers[i] = (float) random.nextGaussian();
                }
                values.put(input.name(), TensorData.ofFloats(numbers, shape));
            } else {
                // Zero is an index into any table.
                values.put(input.name(), TensorData.ofLongs(input.type(), new long[elements], shape));
            }
        }
        return values;
    }

    private static Map<String, float[]> run(Graph graph, Map<String, TensorData> inputs) {
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            Map<String, NDArray> feeds = new HashMap<>();
            inputs.forEach((name, value) -> feeds.put(name, Engines.toArray(scope, value)));
            Map<String, float[]> outputs = new LinkedHashMap<>();
            executor.run(scope, feeds, TensorHook.NONE).forEach((name, value) -> {
                if (value.getDataType().isFloating()) {
                    outputs.put(name, value.toFloatArray());
                }
            });
            return outputs;
        }
    }

    private static TensorData joined(TensorData first, TensorData second) {
        long[] shape = first.shape().clone();
        if (shape.length == 0) {
            return first;
        }
        shape[0] *= 2;
        return first.type().isFloating()
                ? TensorData.ofFloats(joined(first.floats(), second.floats()), shape)
                : TensorData.ofLongs(first.type(), new long[2 * first.size()], shape);
    }

    private static float[] joined(float[] first, float[] second) {
        float[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private static boolean isClose(float[] actual, float[] expected) {
        if (actual == null || actual.length != expected.length) {
            return false;
        }
        double magnitude = 0;
        for (float value : expected) {
            magnitude = Math.max(magnitude, Math.abs(value));
        }
        for (int i = 0; i < actual.length; i++) {
            if (!(Math.abs(actual[i] - expected[i]) <= TOLERANCE * magnitude)) {
                return false;
            }
        }
        return true;
    }
}
