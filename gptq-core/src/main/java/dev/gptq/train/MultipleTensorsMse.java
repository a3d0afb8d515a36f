package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import dev.gptq.engine.Engines;
import java.util.List;

/**
 * Weighted mean over layers of the normalised squared error (MCT, multiple_tensors_mse_loss):
 * mean_l(w_l * mean((x_l - y_l)^2) / mean(x_l^2)) with teacher x and means over the global batch, whatever the lanes it is
 * split into. A layer whose teacher outputs are all zero has no scale to compare by and is left out.
 */
final class MultipleTensorsMse implements DistillationLoss {
    @Override
    public NDArray share(List<NDArray> student, List<NDArray> teacher, Context context) {
        NDArray total = null;
        for (int l = 0; l < student.size(); l++) {
            double energy = context.teacherEnergies()[l];
            // mean / mean = sum / sum
            double factor = energy == 0 ? 0 : context.layerWeights()[l] / (student.size() * energy);
            NDArray length = student.get(l).sub(teacher.get(l)).norm();
            NDArray term = length.mul(length).mul(Engines.scalar(length.getManager(), length, factor));
            total = total == null ? term : total.add(term);
        }
        return total;
    }

    @Override
    public boolean readsTeacherEnergies() {
        return true;
    }
}
