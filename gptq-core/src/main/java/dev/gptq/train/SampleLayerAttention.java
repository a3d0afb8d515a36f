package dev.gptq.train;

import ai.djl.ndarray.types.Shape;

/**
 * Squared error weighted per sample and layer (MCT, sample_layer_attention_loss):
 * sum_l mean_b(A[b,l] * n[b,l]) / max_l mean_b A[b,l], where n is the error summed over dimension 1 and averaged over the
 * dimensions after it. Unlike in MCT the denominator is that of the whole step, not of the micro-batch.
 */
final class SampleLayerAttention extends SquaredError {
    @Override
    float[] factors(int layer, int layers, Shape shape, Context context) {
        long positions = shape.dimension() > 2 ? shape.slice(2).size() : 1;
        double divisor = (double) positions * context.globalBatchSize() * context.attentionDenominator();
        float[] factors = new float[context.samples()];
        for (int b = 0; b < factors.length; b++) {
            factors[b] = (float) (context.sampleWeights()[b][layer] / divisor);
        }
        return factors;
    }
}
