package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import dev.gptq.engine.Autograd;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * sum_l sum_b f[l,b] * |y[l,b] - x[l,b]|^2 with student y, teacher x and the factors of a subclass. Its gradient
 * 2 f (y - x) is written down instead of recorded: recording takes five passes over each output where two will do.
 */
abstract class SquaredError implements DistillationLoss {
    private static final int[] EACH_SAMPLE = {1};

    /** By sample, what its sum of squares counts at compare point {@code layer}, whose outputs have this shape. */
    abstract float[] factors(int layer, int layers, Shape shape, Context context);

    @Override
    public final NDArray share(List<NDArray> student, List<NDArray> teacher, Context context) {
        NDArray total = null;
        for (int l = 0; l < student.size(); l++) {
            NDArray difference = student.get(l).sub(teacher.get(l));
            NDArray lengths = lengths(difference, context.samples());
            NDArray factors = lengths.getManager().create(factors(l, student.size(), difference.getShape(), context));
            NDArray term = lengths.mul(lengths).mul(factors).sum();
            total = total == null ? term : total.add(term);
        }
        return total;
    }

    @Override
    public final OutputGradients differentiate(List<NDArray> student, List<NDArray> teacher, Context context) {
        try (Autograd.Recording paused = Autograd.pause()) {
            double share = 0;
            double[] layers = new double[student.size()];
            List<NDArray> gradients = new ArrayList<>();
            for (int l = 0; l < student.size(); l++) {
                NDArray difference = student.get(l).sub(teacher.get(l));
                float[] factors = factors(l, student.size(), difference.getShape(), context);
                float[] lengths = lengths(difference, context.samples()).toFloatArray();
                for (int b = 0; b < factors.length; b++) {
                    double term = (double) factors[b] * lengths[b] * lengths[b];
                    share += term;
                    layers[l] += term;
                    factors[b] *= 2;
                }
                gradients.add(difference.muli(difference.getManager().create(factors, perSample(difference))));
            }
            return new OutputGradients(share, layers, gradients);
        }
    }

    /** Euclidean lengths by sample: one pass over the values, and no squared copy. */
    private static NDArray lengths(NDArray difference, int samples) {
        return difference.reshape(samples, -1).norm(2, EACH_SAMPLE, false);
    }

    /** The shape of one number per sample that spreads over all of its elements. */
    private static Shape perSample(NDArray array) {
        long[] shape = new long[array.getShape().dimension()];
        Arrays.fill(shape, 1);
        shape[0] = array.getShape().get(0);
        return new Shape(shape);
    }
}
