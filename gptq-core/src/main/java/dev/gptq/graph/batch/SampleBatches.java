package dev.gptq.graph.batch;

import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Random batches that a graph takes. */
final class SampleBatches {
    /** So many samples in all, but at least two batches. */
    private static final int SAMPLES = 4;

    /** Tried one after the other for other dimensions that are open: models ask for a smallest size, or a multiple of 32. */
    private static final int[] SIZES = {32, 64, 128, 224, 256};

    private SampleBatches() {}

    /**
     * Normally distributed numbers; integers of zero and one, or of zero where one is no valid index.
     *
     * @throws NoBatchException when the graph runs on none of it
     */
    static List<Map<String, TensorData>> of(Graph graph, long batch) throws NoBatchException {
        int count = (int) Math.max(2, SAMPLES / batch);
        GptqException last = null;
        for (int size : SIZES) {
            for (int largest : new int[] {1, 0}) {
                List<Map<String, TensorData>> batches = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    batches.add(batch(graph, batch, size, largest, i));
                }
                try {
                    NodeRun.of(graph, graph.nodes(), batches.get(0), graph.outputs());
                    return batches;
                } catch (GptqException e) {
                    last = e;
                }
            }
        }
        throw new NoBatchException("random samples cannot be run: " + BatchTrial.reason(last));
    }

    private static Map<String, TensorData> batch(Graph graph, long batch, int size, int largest, long seed) {
        Random random = new Random(seed);
        Map<String, TensorData> values = new LinkedHashMap<>();
        for (ValueInfo input : graph.inputs()) {
            long[] shape = input.shape().clone();
            for (int axis = 0; axis < shape.length; axis++) {
                shape[axis] = axis == 0 ? batch : shape[axis] < 0 ? size : shape[axis];
            }
            int elements = Math.toIntExact(TensorData.elementCount(shape));
            values.put(
                    input.name(),
                    switch (input.type()) {
                        case FLOAT32 -> {
                            float[] numbers = new float[elements];
                            for (int i = 0; i < elements; i++) {
                                numbers[i] = (float) random.nextGaussian();
                            }
                            yield TensorData.ofFloats(numbers, shape);
                        }
                        case FLOAT64 ->
                            TensorData.ofDoubles(random.doubles(elements, -1, 1).toArray(), shape);
                        default ->
                            TensorData.ofLongs(
                                    input.type(),
                                    random.longs(elements, 0, largest + 1L).toArray(),
                                    shape);
                    });
        }
        return values;
    }
}
