package dev.gptq.contributing;

import ai.djl.ndarray.NDArray;
import dev.gptq.engine.Engines;
import dev.gptq.train.DistillationLoss;
import java.util.List;

// example: loss
/** Weighted mean over layers of the Huber error: squared up to a difference of one, absolute beyond. */
public final class HuberLoss implements DistillationLoss {
    @Override
    public NDArray share(List<NDArray> student, List<NDArray> teacher, Context context) {
        NDArray sum = null;
        for (int layer = 0; layer < student.size(); layer++) {
            NDArray difference = student.get(layer).sub(teacher.get(layer)).abs();
            NDArray near = difference.minimum(scalar(difference, 1));
            // d near - near^2 / 2 is d^2 / 2 where d is below one, and d - 1/2 beyond.
            NDArray error = difference.mul(near).sub(times(near.mul(near), 0.5));
            double weight = context.layerWeights()[layer] * context.shareOfBatch() / student.size();
            NDArray layerShare = times(error.flatten().mean(), weight);
            sum = sum == null ? layerShare : sum.add(layerShare);
        }
        return sum;
    }

    private static NDArray times(NDArray array, double factor) {
        return array.mul(scalar(array, factor));
    }

    private static NDArray scalar(NDArray like, double value) {
        return Engines.scalar(like.getManager(), like, value);
    }
}
// end
