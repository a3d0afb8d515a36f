package dev.gptq.evaluate;

/** One output tensor of a model for a batch, row-major, widened to double. */
public record ModelOutput(long[] shape, double[] values, boolean floating) {
    /** Whether each sample is a vector of at least two class scores. */
    boolean isClassVector() {
        return floating && shape.length == 2 && shape[1] > 1;
    }

    /** Index of the largest score of {@code sample}; the first of equals. */
    int classOf(int sample) {
        int columns = (int) shape[1];
        int best = 0;
        for (int column = 1; column < columns; column++) {
            if (values[sample * columns + column] > values[sample * columns + best]) {
                best = column;
            }
        }
        return best;
    }
}
