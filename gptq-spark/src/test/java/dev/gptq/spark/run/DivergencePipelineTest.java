package dev.gptq.spark.run;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.OptimizerConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** Trainings whose biases move too far. */
class DivergencePipelineTest {
    private static final Pattern STEP = Pattern.compile("Cannot continue training at step (\\d+) of 18: ");
    private static final Pattern KEPT = Pattern.compile("The checkpoint of step (\\d+) is kept in '");

    @TempDir
    private static Path folder;

    @BeforeAll
    static void write() throws IOException {
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data"), 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"job", "barrier"})
    void aLossThatExplodesEndsTheRunAndKeepsTheLastGoodCheckpoint(String exchange) {
        Path output = folder.resolve("explodes-" + exchange);

        GptqException failure = diverge(config(output, exchange, OptimizerConfig.sgd(50, 0), 1e3));

        assertThat(failure)
                .hasMessageContainingAll(
                        "the loss has exploded to", " of layer ", "Lower the learning rate", "divergence_factor");
        int step = number(STEP, failure.getMessage());
        int kept = number(KEPT, failure.getMessage());
        // One is written every step; that of the step that diverged was written before its loss was known.
        assertThat(step).isBetween(2, 17);
        assertThat(kept).isEqualTo(step - 1);
        assertThat(output.resolve("checkpoints").toFile().list()).containsExactly("step-" + kept);
        assertThat(output.resolve("MANIFEST.json")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"job", "barrier"})
    void aLossThatIsNoNumberEndsTheRunWithoutAnyCheckpointOfIt(String exchange) {
        Path output = folder.resolve("overflows-" + exchange);

        GptqException failure = diverge(config(output, exchange, OptimizerConfig.adam(1e30), null));

        assertThat(number(STEP, failure.getMessage())).isEqualTo(1);
        assertThat(failure).hasMessageContainingAll(" of layer ", "Lower the learning rate");
        assertThat(output.resolve("checkpoints").toFile().list()).isEmpty();
    }

    private static GptqException diverge(RunConfig config) {
        GptqException failure = catchThrowableOfType(
                GptqException.class, () -> GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE));
        assertThat(failure.code()).isEqualTo(ErrorCode.DIVERGED);
        assertThat(failure.code().exitStatus()).isEqualTo(5);
        return failure;
    }

    private static int number(Pattern pattern, String text) {
        Matcher found = pattern.matcher(text);
        assertThat(found.find()).as(text).isTrue();
        return Integer.parseInt(found.group(1));
    }

    private static RunConfig config(Path output, String exchange, OptimizerConfig biases, Double factor) {
        GradientPTQConfig gptq = GradientPTQConfig.builder()
                .setNEpochs(2)
                .optHessianWeightsConfig(null)
                .optOptimizerBias(biases)
                .build();
        return TestModel.config(folder, output)
                .setGptq(gptq)
                .optTraining(new TrainingConfig(8, 4, null, 1, 2, exchange, 30, factor))
                .build();
    }
}
