package dev.gptq.spark.run;

import dev.gptq.report.RunMetrics;
import dev.gptq.report.RunMetrics.ModelMetrics;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class TrainingGainTest {
    @Test
    void aModelThatTrainingMadeWorseIsTold() {
        assertThat(TrainingGain.warning(metrics(2, null, 20.26, null, 6.86)))
                .contains("SQNR 6.9 dB after 2 steps, against 20.3 dB", "gptq.n_epochs", "recipe: accurate");
        assertThat(TrainingGain.warning(metrics(2, 0.9, 20, 0.8, 6))).isNotNull();
    }

    @Test
    void aBetterModelOneAsRightOrOneThatWasNotTrainedIsNot() {
        assertThat(TrainingGain.warning(metrics(2, null, 20, null, 25))).isNull();
        assertThat(TrainingGain.warning(metrics(2, null, 20, null, 19.5))).isNull();
        assertThat(TrainingGain.warning(metrics(2, 0.8, 20, 0.8, 6))).isNull();
        assertThat(TrainingGain.warning(metrics(0, null, 20, null, 6))).isNull();
    }

    private static RunMetrics metrics(int steps, Double ptqTop1, double ptqDb, Double gptqTop1, double gptqDb) {
        return new RunMetrics(
                new ModelMetrics(null, null, null, null, 1L),
                new ModelMetrics(ptqTop1, ptqDb, 1.0, 1.0, 1L),
                new ModelMetrics(gptqTop1, gptqDb, 1.0, 1.0, 1L),
                Map.of(),
                null,
                new RunMetrics.Training(steps, new double[steps], new double[steps], new double[steps]),
                List.of(),
                List.of(),
                null,
                Map.of());
    }
}
