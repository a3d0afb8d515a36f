package dev.gptq.spark.cluster;

import ai.djl.ndarray.NDArray;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.train.DistillationLoss;
import dev.gptq.train.DistillationLosses;
import java.util.List;

/** The default loss, bit by bit; executors may end, stop or fail in it. */
public final class FaultyLoss implements DistillationLoss {
    private final DistillationLoss loss = DistillationLosses.of(GradientPTQConfig.SAMPLE_LAYER_ATTENTION);

    @Override
    public NDArray share(List<NDArray> student, List<NDArray> teacher, Context context) {
        NativeArrays.record();
        Faults.inLane();
        return loss.share(student, teacher, context);
    }
}
