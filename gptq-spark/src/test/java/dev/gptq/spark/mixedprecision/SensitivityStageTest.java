package dev.gptq.spark.mixedprecision;

import dev.gptq.calibrate.BlockStatistics;
import dev.gptq.config.MixedPrecisionConfig;
import dev.gptq.config.MixedPrecisionConfig.Budget;
import dev.gptq.config.MixedPrecisionConfig.Sensitivity;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.mixedprecision.BitChoices;
import dev.gptq.mixedprecision.CandidateQuantizers;
import dev.gptq.mixedprecision.SensitivityMeasure;
import dev.gptq.mixedprecision.SensitivitySums;
import dev.gptq.spark.PreparedSamples;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.calibrate.CalibrateStage;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class SensitivityStageTest {
    @TempDir
    private Path folder;

    @Test
    void sumsHaveTheSameBitsForAnyNumberOfTasks() {
        PreparedSamples samples = PreparedSamples.in(folder);
        QuantizationConfig config = QuantizationConfig.defaults()
                .withMixedPrecision(MixedPrecisionConfig.builder()
                        .setBudget(new Budget(null, null, 6.0, 0.5))
                        .optActivationsBits(List.of(4, 8))
                        .build());
        BlockStatistics statistics = CalibrateStage.run(samples.job(CalibrateStage.BLOCK_SIZE, 1), done -> {});
        BitChoices choices = BitChoices.of(samples.prepared(), config);
        CandidateQuantizers candidates =
                CandidateQuantizers.of(samples.prepared(), statistics, config, Map.of(), choices);
        for (Sensitivity sensitivity : Sensitivity.values()) {
            int blockSize = SensitivityMeasure.blockSize(sensitivity);
            SensitivitySums alone =
                    SensitivityStage.run(samples.job(blockSize, 1), sensitivity, choices, candidates, 0, done -> {});
            SensitivitySums apart =
                    SensitivityStage.run(samples.job(blockSize, 5), sensitivity, choices, candidates, 0, done -> {});

            assertThat(alone.samples()).isEqualTo(TestModel.SAMPLES);
            assertThat(apart.kernels()).isDeepEqualTo(alone.kernels());
            assertThat(apart.activations()).isDeepEqualTo(alone.activations());
            assertThat(apart.energy()).isEqualTo(alone.energy());
            assertThat(alone.kernels()).hasDimensions(TestModel.LAYERS.size(), 3);
        }
    }
}
