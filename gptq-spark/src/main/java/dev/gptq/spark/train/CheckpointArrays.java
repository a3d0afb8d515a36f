package dev.gptq.spark.train;

import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.TrainerState;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A checkpoint's arrays.bin, little-endian: the arrays' float32 in the order of their names, then three float64 for each
 * step: loss, distillation loss, regularization. Goes through a small buffer, whatever the size of the model.
 */
final class CheckpointArrays {
    private static final int BUFFER_FLOATS = 1 << 14;
    private static final int NUMBERS_PER_STEP = 3;

    private CheckpointArrays() {}

    static void write(Checkpoint checkpoint, OutputStream out) throws IOException {
        ByteBuffer buffer = buffer(BUFFER_FLOATS * Float.BYTES);
        for (float[] values : checkpoint.state().arrays().values()) {
            for (int begin = 0; begin < values.length; begin += BUFFER_FLOATS) {
                int count = Math.min(BUFFER_FLOATS, values.length - begin);
                buffer.asFloatBuffer().put(values, begin, count);
                out.write(buffer.array(), 0, count * Float.BYTES);
            }
        }
        ByteBuffer numbers = buffer(NUMBERS_PER_STEP * Double.BYTES);
        for (StepResult result : checkpoint.history()) {
            numbers.clear();
            numbers.putDouble(result.loss())
                    .putDouble(result.distillationLoss())
                    .putDouble(result.regularization());
            out.write(numbers.array());
        }
    }

    /**
     * Reads what was written; null when {@code in} is shorter or longer.
     *
     * @param lengths of the arrays by name
     * @param steps numbers of steps behind them
     */
    static Checkpoint read(int step, Map<String, Integer> lengths, int steps, InputStream in) throws IOException {
        ByteBuffer buffer = buffer(BUFFER_FLOATS * Float.BYTES);
        Map<String, float[]> arrays = new LinkedHashMap<>();
        for (Map.Entry<String, Integer> length : lengths.entrySet()) {
            float[] values = new float[length.getValue()];
            for (int begin = 0; begin < values.length; begin += BUFFER_FLOATS) {
                int count = Math.min(BUFFER_FLOATS, values.length - begin);
                if (in.readNBytes(buffer.array(), 0, count * Float.BYTES) < count * Float.BYTES) {
                    return null;
                }
                buffer.asFloatBuffer().get(values, begin, count);
            }
            arrays.put(length.getKey(), values);
        }
        ByteBuffer numbers = buffer(NUMBERS_PER_STEP * Double.BYTES);
        List<StepResult> history = new ArrayList<>();
        for (int i = 0; i < steps; i++) {
            numbers.clear();
            if (in.readNBytes(numbers.array(), 0, numbers.capacity()) < numbers.capacity()) {
                return null;
            }
            history.add(new StepResult(i, numbers.getDouble(), numbers.getDouble(), numbers.getDouble()));
        }
        return in.read() < 0 ? new Checkpoint(new TrainerState(step, arrays), history) : null;
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
