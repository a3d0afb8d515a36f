package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.List;

/**
 * Squared error weighted per sample and layer (MCT 2.8, sample_layer_attention_loss):
 * sum_l mean_b(A[b,l] * n[b,l]) / max_l mean_b A[b,l], where n is the error summed over dimension 1 and averaged over the
 * dimensions after it. Unlike in MCT the denominator is that of the whole step, not of the micro-batch.
 */
final class SampleLayerAttention implements DistillationLoss {
    @Override
    public NDArray share(List<NDArray> student, List<NDArray> teacher, Context context) {
        NDArray total = null;
        for (int l = 0; l < student.size(); l++) {
            NDArray y = student.get(l);
            NDArray difference = y.sub(teacher.get(l));
            NDArray weighted = difference.mul(weights(y, l, context)).mul(difference);
            NDArray term = weighted.flatten().sum();
            total = total == null ? term : total.add(term);
        }
        return total;
    }

    /** One factor per sample, shaped to broadcast over {@code y}. */
    private static NDArray weights(NDArray y, int layer, Context context) {
        Shape shape = y.getShape();
        long positions = shape.dimension() > 2 ? shape.slice(2).size() : 1;
        double divisor = (double) positions * context.globalBatchSize() * context.attentionDenominator();
        float[] factors = new float[context.samples()];
        for (int b = 0; b < factors.length; b++) {
            factors[b] = (float) (context.sampleWeights()[b][layer] / divisor);
        }
        long[] broadcast = new long[shape.dimension()];
        java.util.Arrays.fill(broadcast, 1);
        broadcast[0] = factors.length;
        NDArray array = y.getManager().create(factors, new Shape(broadcast));
        return array;
    }
}
