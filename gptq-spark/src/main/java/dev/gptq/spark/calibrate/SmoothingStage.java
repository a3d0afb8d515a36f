package dev.gptq.spark.calibrate;

import dev.gptq.calibrate.InputScales;
import dev.gptq.calibrate.InputScalesCollector;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.SampleBatch;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.BlockTask;
import dev.gptq.spark.task.ExecutorModels;
import java.util.function.LongConsumer;

/** How large the channels of activations are over the whole calibration dataset. */
public final class SmoothingStage {
    private SmoothingStage() {}

    /**
     * The scales.
     *
     * @param job is on the prepared graph
     * @param progress gets the number of blocks done
     */
    public static InputScales run(BlockJob job, QuantizationConfig config, LongConsumer progress) {
        return job.fold(new Measure(config), "calibrate", progress);
    }

    private record Measure(QuantizationConfig config) implements BlockTask<InputScales> {
        @Override
        public InputScales map(ExecutorModels.Lease models, SampleBatch block) {
            return models.get(
                            "input scales",
                            InputScalesCollector.class,
                            () -> new InputScalesCollector(models.floatModel(), config))
                    .collect(block);
        }

        @Override
        public InputScales merge(InputScales earlier, InputScales later) {
            return earlier.merge(later);
        }
    }
}
