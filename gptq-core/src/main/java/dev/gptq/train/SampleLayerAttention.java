package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.List;

/**
 * Squared error weighted per sample and layer (MCT, sample_layer_attention_loss):
 * sum_l mean_b(A[b,l] * n[b,l]) / max_l mean_b A[b,l], where n is the error summed over dimension 1 and averaged over the
 * dimensions after it. Unlike in MCT the denominator is that of the whole step, not of the micro-batch.
 */
final class SampleLayerAttention implements DistillationLoss {
    private static final int[] EACH_SAMPLE = {1};

    @Override
    public NDArray share(List<NDArray> student, List<NDArray> teacher, Context context) {
        NDArray total = null;
        for (int l = 0; l < student.size(); l++) {
            NDArray difference = student.get(l).sub(teacher.get(l));
            NDArray lengths = difference.reshape(context.samples(), -1).norm(2, EACH_SAMPLE, false);
            NDArray weights = lengths.getManager().create(factors(difference.getShape(), l, context));
            NDArray term = lengths.mul(lengths).mul(weights).sum();
            total = total == null ? term : total.add(term);
        }
        return total;
    }

    /** By sample, what its sum of squares counts in the loss. */
    private static float[] factors(Shape shape, int layer, DistillationLoss.Context context) {
        long positions = shape.dimension() > 2 ? shape.slice(2).size() : 1;
        double divisor = (double) positions * context.globalBatchSize() * context.attentionDenominator();
        float[] factors = new float[context.samples()];
        for (int b = 0; b < factors.length; b++) {
            factors[b] = (float) (context.sampleWeights()[b][layer] / divisor);
        }
        return factors;
    }
}
