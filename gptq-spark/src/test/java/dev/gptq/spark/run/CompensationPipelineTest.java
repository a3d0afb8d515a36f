package dev.gptq.spark.run;

import dev.gptq.GptqException;
import dev.gptq.config.ErrorCompensationConfig;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationConfig.Weights;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.RunConfig;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.config.TrainingConfig;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class CompensationPipelineTest {
    @TempDir
    private static Path folder;

    @BeforeAll
    static void writeInputs() throws IOException {
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data"), 3);
    }

    @Test
    void withoutTrainingTheResultIsTheCompensatedModel() {
        RunResult result = GptqPipeline.run(config("untrained", 0, "auto"), TestSpark.session(), ProgressListener.NONE);

        assertThat(result.metrics().gptq().sqnrDb())
                .isGreaterThan(result.metrics().ptq().sqnrDb() + 1);
        assertThat(result.metrics().timing()).containsKey("compensate_s");
        assertThat(folder.resolve("untrained/starting_kernels/index.json")).exists();
    }

    @Test
    void trainingStartsFromTheCompensatedModelInEitherExchange() {
        GptqPipeline.run(config("barrier", 1, "barrier"), TestSpark.session(), ProgressListener.NONE);
        GptqPipeline.run(config("job", 1, "job"), TestSpark.session(), ProgressListener.NONE);

        assertThat(folder.resolve("job/quantized.onnx"))
                .hasSameBinaryContentAs(folder.resolve("barrier/quantized.onnx"));
    }

    @Test
    void aRunThatEndedInTrainingDoesNotCompensateAgain() {
        RunConfig config = config("resumed", 1, "job");
        assertThatThrownBy(() -> GptqPipeline.run(config, TestSpark.session(), GptqPipelineTest.crashBefore("train")))
                .hasMessage("power cut");
        GptqPipelineTest.RecordingListener resumed = new GptqPipelineTest.RecordingListener();

        GptqPipeline.run(config, TestSpark.session(), resumed);

        assertThat(resumed.events)
                .contains("started compensate")
                .noneMatch(event -> event.startsWith("advanced compensate"));
    }

    @Test
    void aDamagedKernelIsRefusedByName() throws IOException {
        RunConfig config = config("damaged", 0, "auto");
        GptqPipeline.builder().setConfig(config).build().runUntil(Stage.TRAIN, TestSpark.session());
        Path kernel = folder.resolve("damaged/starting_kernels/1.f32");
        byte[] bytes = Files.readAllBytes(kernel);
        bytes[5] ^= 1;
        Files.write(kernel, bytes);
        Files.deleteIfExists(folder.resolve("damaged/starting_kernels/.1.f32.crc"));

        assertThatThrownBy(() -> GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE))
                .isInstanceOf(GptqException.class)
                .hasMessageStartingWith("Cannot read the folder starting_kernels: 1.f32 is not what was written.");
    }

    private static RunConfig config(String output, int epochs, String exchange) {
        GradientPTQConfig gptq = GradientPTQConfig.builder()
                .setNEpochs(epochs)
                .optHessianWeightsConfig((GPTQHessianScoresConfig) null)
                .optErrorCompensationConfig(new ErrorCompensationConfig(64, 0.01))
                .build();
        return TestModel.config(folder, folder.resolve(output))
                .setGptq(gptq)
                .optQuantization(QuantizationConfig.defaults()
                        .withWeights(new Weights(3, QuantizationMethod.SYMMETRIC, true, ThresholdMethod.MSE, 2)))
                .optTraining(new TrainingConfig(8, 4, null, 5, 2, exchange))
                .build();
    }
}
