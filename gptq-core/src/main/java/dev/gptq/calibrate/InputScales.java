package dev.gptq.calibrate;

import ai.djl.ndarray.NDArray;
import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.Map;

/** By tensor, how large the channels of its last axis are; what blocks of samples add up to. */
public final class InputScales implements Serializable {
    private static final long serialVersionUID = 1L;

    private final LinkedHashMap<String, Channels> tensors;

    /**
     * Of one tensor, by channel.
     *
     * @param rows number of values of each channel
     * @param squares sums of them
     */
    record Channels(long rows, float[] min, float[] max, double[] squares) implements Serializable {
        static Channels of(NDArray value) {
            long[] shape = value.getShape().getShape();
            try (NDArray rows = value.reshape(-1, shape[shape.length - 1]);
                    NDArray min = rows.min(new int[] {0});
                    NDArray max = rows.max(new int[] {0});
                    NDArray squared = rows.square();
                    NDArray squares = squared.sum(new int[] {0})) {
                float[] sums = squares.toFloatArray();
                double[] wide = new double[sums.length];
                for (int channel = 0; channel < wide.length; channel++) {
                    wide[channel] = sums[channel];
                }
                return new Channels(rows.getShape().get(0), min.toFloatArray(), max.toFloatArray(), wide);
            }
        }

        Channels merge(Channels later) {
            float[] low = min.clone();
            float[] high = max.clone();
            double[] sums = squares.clone();
            for (int channel = 0; channel < sums.length; channel++) {
                low[channel] = Math.min(low[channel], later.min[channel]);
                high[channel] = Math.max(high[channel], later.max[channel]);
                sums[channel] += later.squares[channel];
            }
            return new Channels(rows + later.rows, low, high, sums);
        }

        /** The largest value of a channel, whatever its sign. */
        double largest(int channel) {
            return Math.max(Math.abs(min[channel]), Math.abs(max[channel]));
        }
    }

    InputScales(Map<String, Channels> tensors) {
        this.tensors = new LinkedHashMap<>(tensors);
    }

    /** The scales over both blocks; this one's samples come first. */
    public InputScales merge(InputScales later) {
        Map<String, Channels> merged = new LinkedHashMap<>();
        tensors.forEach((tensor, channels) -> merged.put(tensor, channels.merge(later.tensors.get(tensor))));
        return new InputScales(merged);
    }

    Channels of(String tensor) {
        return tensors.get(tensor);
    }
}
