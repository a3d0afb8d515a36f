package dev.gptq.graph.batch;

import dev.gptq.graph.TensorData;
import java.util.Arrays;
import java.util.List;

/**
 * One tensor, as the model as it is makes it of each batch, and as the model with a dynamic batch makes it of all at once.
 *
 * @param axis the dimension that grows with the number of samples; -1 when none does, or more than one
 * @param outer how many entries of {@code axis} lie apart before the batch begins: S in a dimension of S * B entries
 */
record Tried(List<TensorData> parts, TensorData whole, int axis, long outer) {
    /** Largest difference that float32 arithmetic in another order explains, relative to the largest value. */
    private static final double TOLERANCE = 1e-4;

    static Tried of(List<TensorData> parts, TensorData whole, long outer) {
        long[] before = parts.get(0).shape();
        long[] after = whole.shape();
        int axis = -1;
        boolean grows = before.length == after.length;
        for (int i = 0; grows && i < before.length; i++) {
            if (before[i] != after[i]) {
                grows = axis < 0 && after[i] == parts.size() * before[i];
                axis = i;
            }
        }
        boolean one = grows && axis >= 0;
        return new Tried(parts, whole, one ? axis : -1, one && before[axis] % outer == 0 ? outer : 1);
    }

    TensorData part() {
        return parts.get(0);
    }

    boolean grows() {
        return axis >= 0;
    }

    /** How many elements come before the batch's first entry is repeated, counted in blocks that begin with the batch. */
    long blocks() {
        return TensorData.elementCount(Arrays.copyOf(part().shape(), axis)) * outer;
    }

    /** Whether the samples of the whole are those of the parts. */
    boolean agrees() {
        boolean sameShapes = parts.stream().allMatch(part -> Arrays.equals(part.shape(), part().shape()));
        if (!sameShapes || whole.size() != (long) part().size() * (grows() ? parts.size() : 1)) {
            return false;
        }
        int blocks = grows() ? Math.toIntExact(blocks()) : 1;
        int block = part().size() / blocks;
        double[] all = numbers(whole);
        List<double[]> each = parts.stream().map(Tried::numbers).toList();
        Difference difference = new Difference();
        for (int i = 0; i < blocks; i++) {
            for (int p = 0; p < parts.size(); p++) {
                int start = grows() ? (i * parts.size() + p) * block : 0;
                for (int j = 0; j < block; j++) {
                    difference.add(all[start + j], each.get(p)[i * block + j]);
                }
            }
        }
        return difference.isWithin(whole.type().isFloating() ? TOLERANCE : 0);
    }

    private static double[] numbers(TensorData tensor) {
        double[] numbers = new double[tensor.size()];
        switch (tensor.type()) {
            case FLOAT32 -> Arrays.setAll(numbers, i -> tensor.floats()[i]);
            case FLOAT64 -> Arrays.setAll(numbers, i -> tensor.doubles()[i]);
            default -> {
                long[] longs = tensor.longs();
                Arrays.setAll(numbers, i -> longs[i]);
            }
        }
        return numbers;
    }

    /** Of many numbers from those expected, where what is no number has to be none in both. */
    private static final class Difference {
        private double worst;
        private double largest;
        private boolean comparable;

        void add(double actual, double expected) {
            if (Double.isFinite(expected)) {
                comparable = true;
                largest = Math.max(largest, Math.abs(expected));
            }
            if (Double.compare(actual, expected) != 0) {
                double difference = Math.abs(actual - expected);
                worst = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(worst, difference);
            }
        }

        boolean isWithin(double tolerance) {
            return comparable && worst <= tolerance * largest;
        }
    }
}
