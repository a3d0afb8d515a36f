package dev.gptq.testing;

import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/** The 1,024 Fashion-MNIST calibration images of 1 x 28 x 28 pixels, normalised as the models expect. */
public final class CalibrationImages {
    public static final int COUNT = 1024;
    private static final int PIXELS = 28 * 28;
    private static final float[] VALUES = read();

    private CalibrationImages() {}

    /** Images [first, first + size) in their order, as input "input". */
    public static SampleBatch batch(long first, int size) {
        int begin = (int) first * PIXELS;
        return batch(Arrays.copyOfRange(VALUES, begin, begin + size * PIXELS), first, size);
    }

    /** The images that {@code order} names at [first, first + size). */
    public static SampleBatch batch(double[] order, long first, int size) {
        float[] values = new float[size * PIXELS];
        for (int i = 0; i < size; i++) {
            System.arraycopy(VALUES, (int) order[(int) first + i] * PIXELS, values, i * PIXELS, PIXELS);
        }
        return batch(values, first, size);
    }

    private static SampleBatch batch(float[] values, long first, int size) {
        return new SampleBatch(first, size, Map.of("input", TensorData.ofFloats(values, size, 1, 28, 28)), null);
    }

    private static float[] read() {
        try (InputStream file = CalibrationImages.class.getResourceAsStream("/models/calibration-images.gz");
                InputStream stream = new GZIPInputStream(file)) {
            byte[] bytes = stream.readAllBytes();
            float[] values = new float[bytes.length];
            for (int i = 0; i < bytes.length; i++) {
                values[i] = ((bytes[i] & 0xff) / 255f - 0.2860f) / 0.3530f;
            }
            return values;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
