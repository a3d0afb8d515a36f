package dev.gptq.hessian;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import dev.gptq.GptqException;
import dev.gptq.engine.SamplePlaces;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.SampleBatch;
import java.util.Arrays;
import java.util.List;

/** Adds up the squared gradients of compare points, reduced per sample and channel in the engine. */
final class SquaredGradients implements GradientSums {
    private final List<ComparePoint> points;
    private final List<NDArray> values;
    private final SampleBatch batch;
    private final int[] channels;
    private final long[] elementsPerChannel;
    private final boolean mean;
    private final double[][] sums;

    /** {@code wholeTensor}: one sum per sample; else the mean of each channel (axis 1) of each sample. */
    SquaredGradients(List<ComparePoint> points, List<NDArray> values, SampleBatch batch, boolean wholeTensor) {
        this.points = points;
        this.values = values;
        this.batch = batch;
        this.mean = !wholeTensor;
        this.channels = new int[values.size()];
        this.elementsPerChannel = new long[values.size()];
        this.sums = new double[values.size()][];
        for (int point = 0; point < values.size(); point++) {
            Shape shape = first(point, values.get(point)).getShape();
            if (!wholeTensor && (shape.dimension() < 2 || shape.get(0) != batch.size())) {
                throw GptqException.unsupported(
                        "Cannot score samples of layer %s: its output of shape %s does not hold the %d samples apart. "
                                + "Set gptq.hessian_weights_config.per_sample to false.",
                        points.get(point).name(), values.get(point).getShape(), batch.size());
            }
            channels[point] = wholeTensor ? 1 : (int) shape.get(1);
            elementsPerChannel[point] = shape.size() / ((long) batch.size() * channels[point]);
            sums[point] = new double[batch.size() * channels[point]];
        }
    }

    private NDArray first(int point, NDArray array) {
        return SamplePlaces.first(array, batch.size(), points.get(point).place());
    }

    @Override
    public List<NDArray> inputs() {
        return values;
    }

    @Override
    public void add(List<NDArray> gradients) {
        for (int point = 0; point < sums.length; point++) {
            add(point, first(point, gradients.get(point)));
        }
    }

    private void add(int point, NDArray gradient) {
        double[] sum = sums[point];
        if (elementsPerChannel[point] == 1) {
            float[] elements = gradient.toFloatArray();
            for (int i = 0; i < sum.length; i++) {
                sum[i] += (double) elements[i] * elements[i];
            }
            return;
        }
        // One pass without a squared copy of the gradient.
        try (NDArray rows = gradient.reshape(sum.length, elementsPerChannel[point]);
                NDArray norms = rows.norm(2, new int[] {1}, false)) {
            float[] lengths = norms.toFloatArray();
            double divisor = mean ? elementsPerChannel[point] : 1;
            for (int i = 0; i < sum.length; i++) {
                sum[i] += (double) lengths[i] * lengths[i] / divisor;
            }
        }
    }

    @Override
    public double[] meanByPoint(int passes) {
        return Arrays.stream(sums)
                .mapToDouble(sum -> Arrays.stream(sum).sum() / sum.length / passes)
                .toArray();
    }

    /** The sums divided by {@code divisor}: [compare point][sample][channel]. */
    double[][][] finish(int divisor) {
        double[][][] scores = new double[values.size()][batch.size()][];
        for (int point = 0; point < values.size(); point++) {
            for (int sample = 0; sample < batch.size(); sample++) {
                double[] row =
                        Arrays.copyOfRange(sums[point], sample * channels[point], (sample + 1) * channels[point]);
                for (int channel = 0; channel < row.length; channel++) {
                    row[channel] /= divisor;
                    if (!Double.isFinite(row[channel])) {
                        throw GptqException.badInput(
                                "Cannot score layer %s: its gradient for sample %d is %s. Repair or remove that sample.",
                                points.get(point).name(), batch.firstIndex() + sample, row[channel]);
                    }
                }
                scores[point][sample] = row;
            }
        }
        return scores;
    }
}
