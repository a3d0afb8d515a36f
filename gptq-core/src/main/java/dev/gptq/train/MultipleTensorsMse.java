package dev.gptq.train;

import ai.djl.ndarray.types.Shape;
import java.util.Arrays;

/**
 * Weighted mean over layers of the normalised squared error (MCT, multiple_tensors_mse_loss):
 * mean_l(w_l * mean((x_l - y_l)^2) / mean(x_l^2)) with teacher x and means over the global batch, whatever the lanes it is
 * split into. A layer whose teacher outputs are all zero has no scale to compare by and is left out.
 */
final class MultipleTensorsMse extends SquaredError {
    @Override
    float[] factors(int layer, int layers, Shape shape, Context context) {
        double energy = context.teacherEnergies()[layer];
        // mean / mean = sum / sum
        double factor = energy == 0 ? 0 : context.layerWeights()[layer] / (layers * energy);
        float[] factors = new float[context.samples()];
        Arrays.fill(factors, (float) factor);
        return factors;
    }

    @Override
    public boolean readsTeacherEnergies() {
        return true;
    }
}
