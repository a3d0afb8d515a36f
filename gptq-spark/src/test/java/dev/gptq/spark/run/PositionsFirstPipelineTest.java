package dev.gptq.spark.run;

import dev.gptq.config.DatasetConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.RunConfig;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** A layer with positions before samples, between two others. */
class PositionsFirstPipelineTest {
    private static final int SAMPLES = 40;
    private static final int POSITIONS = 3;
    private static final int FEATURES = 6;

    @TempDir
    private Path folder;

    @Test
    void aLayerThatDoesNotBeginWithTheSamplesIsTrainedWithTheSameBitsByEachExchange() throws IOException {
        Files.write(folder.resolve("model.onnx"), OnnxWriter.write(graph()));
        float[] samples = numbers(new Random(1), SAMPLES * POSITIONS * FEATURES);
        String shape = "%d, %d, %d".formatted(SAMPLES, POSITIONS, FEATURES);
        NumpyFiles.archive(
                folder.resolve("samples.npz"),
                true,
                Map.of("x", NumpyFiles.array("<f4", false, shape, NumpyFiles.floats(samples))));

        RunMetrics metrics = run(TrainingConfig.JOB).metrics();
        run(TrainingConfig.BARRIER);

        assertThat(metrics.layers()).extracting(RunMetrics.Layer::name).containsExactly("before", "inside", "behind");
        assertThat(metrics.gptq().sqnrDb()).isGreaterThan(20);
        assertThat(folder.resolve(TrainingConfig.BARRIER + "/quantized.onnx"))
                .hasSameBinaryContentAs(folder.resolve(TrainingConfig.JOB + "/quantized.onnx"));
    }

    private RunResult run(String exchange) {
        RunConfig config = RunConfig.builder()
                .setModel(folder.resolve("model.onnx").toString())
                .setCalibration(new DatasetConfig(
                        folder.resolve("samples.npz").toString(),
                        "npz",
                        Map.of("x", InputMapping.of("x")),
                        null,
                        null,
                        null))
                .setGptq(TestModel.gptq(2))
                .optTraining(new TrainingConfig(8, 4, null, 5, 2, exchange, 100))
                .optDevice("cpu")
                .setOutput(new OutputConfig(folder.resolve(exchange).toString(), false))
                .build();
        return GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE);
    }

    private static Graph graph() {
        Random random = new Random(3);
        Map<String, TensorData> kernels = Map.of(
                "w1", TensorData.ofFloats(numbers(random, FEATURES * FEATURES), FEATURES, FEATURES),
                "w2", TensorData.ofFloats(numbers(random, FEATURES * FEATURES), FEATURES, FEATURES),
                "w3", TensorData.ofFloats(numbers(random, FEATURES * 2), FEATURES, 2));
        Map<String, long[]> swapped = Map.of("perm", new long[] {1, 0, 2});
        return new Graph(
                "positions first",
                13,
                List.of(new ValueInfo("x", ElementType.FLOAT32, new long[] {-1, POSITIONS, FEATURES})),
                List.of(new ValueInfo("y", ElementType.FLOAT32, new long[] {-1, POSITIONS, 2})),
                kernels,
                List.of(
                        new Node("before", "MatMul", List.of("x", "w1"), List.of("a"), Map.of()),
                        new Node("swap", "Transpose", List.of("a"), List.of("b"), Map.copyOf(swapped)),
                        new Node("inside", "MatMul", List.of("b", "w2"), List.of("c"), Map.of()),
                        new Node("relu", "Relu", List.of("c"), List.of("d"), Map.of()),
                        new Node("swap back", "Transpose", List.of("d"), List.of("e"), Map.copyOf(swapped)),
                        new Node("behind", "MatMul", List.of("e", "w3"), List.of("y"), Map.of())));
    }

    private static float[] numbers(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
