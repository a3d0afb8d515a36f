package dev.gptq.spark.mixedprecision;

import dev.gptq.config.MixedPrecisionConfig.Sensitivity;
import dev.gptq.graph.SampleBatch;
import dev.gptq.mixedprecision.BitChoices;
import dev.gptq.mixedprecision.CandidateQuantizers;
import dev.gptq.mixedprecision.SensitivityMeasure;
import dev.gptq.mixedprecision.SensitivitySums;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.BlockTask;
import dev.gptq.spark.task.ExecutorModels;
import java.util.function.LongConsumer;

/** What quantizing each layer alone does to the model's outputs, summed over samples. */
public final class SensitivityStage {
    private static final String STAGE = "mixed_precision";

    private SensitivityStage() {}

    /**
     * Measures all choices of bits.
     *
     * @param job blocks of {@link SensitivityMeasure#blockSize} samples of the prepared graph
     * @param progress gets the number of blocks done
     */
    public static SensitivitySums run(
            BlockJob job,
            Sensitivity sensitivity,
            BitChoices choices,
            CandidateQuantizers candidates,
            long seed,
            LongConsumer progress) {
        return job.fold(new Measure(sensitivity, choices, candidates, seed), STAGE, progress);
    }

    private record Measure(Sensitivity sensitivity, BitChoices choices, CandidateQuantizers candidates, long seed)
            implements BlockTask<SensitivitySums> {
        @Override
        public SensitivitySums map(ExecutorModels.Lease models, SampleBatch block) {
            return models.get(
                            "sensitivity by " + sensitivity,
                            SensitivityMeasure.class,
                            () -> SensitivityMeasure.of(sensitivity, models.floatModel(), choices, candidates, seed))
                    .of(block);
        }

        @Override
        public SensitivitySums merge(SensitivitySums earlier, SensitivitySums later) {
            return earlier.merge(later);
        }
    }
}
