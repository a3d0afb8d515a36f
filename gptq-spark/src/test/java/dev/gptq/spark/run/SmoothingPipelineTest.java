package dev.gptq.spark.run;

import dev.gptq.config.DatasetConfig;
import dev.gptq.config.ErrorCompensationConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigBuilder;
import dev.gptq.config.TrainingConfig;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import dev.gptq.spark.data.NumpyFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A normalization with one large channel, of which two layers make little. */
class SmoothingPipelineTest {
    private static final int SAMPLES = 72;
    private static final int POSITIONS = 5;
    private static final int WIDTH = 6;
    private static final int LARGE = 2;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void writeInputs() throws IOException {
        Files.write(folder.resolve("model.onnx"), OnnxWriter.write(graph()));
        String shape = "%d, %d, %d".formatted(SAMPLES, POSITIONS, WIDTH);
        float[] samples = numbers(new Random(1), SAMPLES * POSITIONS * WIDTH);
        NumpyFiles.archive(
                folder.resolve("samples.npz"),
                true,
                Map.of("x", NumpyFiles.array("<f4", false, shape, NumpyFiles.floats(samples))));
    }

    @Test
    void smoothedActivationsLoseLessByRoundingAndTheExportedModelIsTheStudent() {
        RunMetrics plain =
                run(config("plain", false, TestModel.gptq(0)).build()).metrics();
        RunMetrics smoothed =
                run(config("smoothed", true, TestModel.gptq(0)).build()).metrics();

        assertThat(smoothed.ptq().sqnrDb()).isGreaterThan(plain.ptq().sqnrDb() + 6);
        assertThat(smoothed.engineAgreement().withinOneStep()).isEqualTo(1);
        assertThat(folder.resolve("smoothed/smoothing.json")).exists();
        assertThat(folder.resolve("plain/smoothing.json")).doesNotExist();
    }

    @Test
    void compensationAndTrainingGoOnFromTheSmoothedModelWithTheSameBitsByEachExchange() {
        GradientPTQConfig gptq = GradientPTQConfig.builder()
                .setNEpochs(2)
                .optErrorCompensationConfig(new ErrorCompensationConfig(64, 0.01))
                .build();
        for (String exchange : List.of(TrainingConfig.JOB, TrainingConfig.BARRIER)) {
            run(config(exchange, true, gptq)
                    .optTraining(new TrainingConfig(8, 4, null, 5, 2, exchange, 100))
                    .build());
        }

        assertThat(folder.resolve(TrainingConfig.BARRIER + "/quantized.onnx"))
                .hasSameBinaryContentAs(folder.resolve(TrainingConfig.JOB + "/quantized.onnx"));
    }

    @Test
    void aRunThatEndedBeforeItsStatisticsGoesOnWithTheFactorsThatItHad() throws IOException {
        RunConfig config = config("resumed", true, TestModel.gptq(1)).build();
        assertThatThrownBy(() -> GptqPipeline.run(config, TestSpark.session(), GptqPipelineTest.crashBefore("hessian")))
                .hasMessage("power cut");
        Files.delete(folder.resolve("resumed/statistics.json"));
        Files.delete(folder.resolve("resumed/plan.json"));
        Object written = Files.getLastModifiedTime(folder.resolve("resumed/smoothing.json"));

        run(config);
        run(config("whole", true, TestModel.gptq(1)).build());

        assertThat(Files.getLastModifiedTime(folder.resolve("resumed/smoothing.json")))
                .isEqualTo(written);
        assertThat(folder.resolve("resumed/quantized.onnx"))
                .hasSameBinaryContentAs(folder.resolve("whole/quantized.onnx"));
    }

    @Test
    void aDamagedFileOfFactorsIsRefusedByName() throws IOException {
        RunConfig config = config("damaged", true, TestModel.gptq(0)).build();
        GptqPipeline.builder().setConfig(config).build().runUntil(Stage.CALIBRATE, TestSpark.session());
        Files.writeString(folder.resolve("damaged/smoothing.json"), "{\"n");

        assertThatThrownBy(() -> run(config))
                .hasMessageContainingAll("Cannot read smoothing.json", "Delete it and start the run again");
    }

    private static RunResult run(RunConfig config) {
        return GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE);
    }

    private static RunConfigBuilder config(String output, boolean smoothing, GradientPTQConfig gptq) {
        PreparationConfig preparation =
                PreparationConfig.builder().optActivationSmoothing(smoothing).build();
        return RunConfig.builder()
                .setModel(folder.resolve("model.onnx").toString())
                .setCalibration(
                        DatasetConfig.of(folder.resolve("samples.npz").toString(), Map.of("x", InputMapping.of("x"))))
                .optQuantization(QuantizationConfig.defaults().withPreparation(preparation))
                .setGptq(gptq)
                .optDevice("cpu")
                .setOutput(new OutputConfig(folder.resolve(output).toString(), false));
    }

    private static Graph graph() {
        Random random = new Random(3);
        float[] gain = {1, 1, 1, 1, 1, 1};
        gain[LARGE] = 100;
        Map<String, TensorData> constants = Map.of(
                "gain", TensorData.ofFloats(gain, WIDTH),
                "offset", TensorData.ofFloats(numbers(random, WIDTH), WIDTH),
                "w1", TensorData.ofFloats(kernel(random), WIDTH, WIDTH),
                "w2", TensorData.ofFloats(kernel(random), WIDTH, WIDTH));
        return new Graph(
                "normalized",
                17,
                List.of(new ValueInfo("x", ElementType.FLOAT32, new long[] {-1, POSITIONS, WIDTH})),
                List.of(new ValueInfo("y", ElementType.FLOAT32, new long[] {-1, POSITIONS, WIDTH})),
                constants,
                List.of(
                        new Node(
                                "norm",
                                "LayerNormalization",
                                List.of("x", "gain", "offset"),
                                List.of("n"),
                                Map.of("axis", -1L)),
                        new Node("first", "MatMul", List.of("n", "w1"), List.of("a"), Map.of()),
                        new Node("second", "MatMul", List.of("n", "w2"), List.of("b"), Map.of()),
                        new Node("bound", "Tanh", List.of("n"), List.of("t"), Map.of()),
                        new Node("product", "Mul", List.of("a", "t"), List.of("p"), Map.of()),
                        new Node("sum", "Add", List.of("p", "b"), List.of("y"), Map.of())));
    }

    private static float[] kernel(Random random) {
        float[] values = numbers(random, WIDTH * WIDTH);
        for (int output = 0; output < WIDTH; output++) {
            values[LARGE * WIDTH + output] /= 100;
        }
        return values;
    }

    private static float[] numbers(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
