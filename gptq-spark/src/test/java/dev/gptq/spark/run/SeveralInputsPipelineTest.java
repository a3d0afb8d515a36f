package dev.gptq.spark.run;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A float and an int64 input from npz archives, two outputs of which one is a layer's raw output. */
class SeveralInputsPipelineTest {
    private static final int SAMPLES_PER_FILE = 20;
    private static final int FEATURES = 6;
    private static final int TOKENS = 3;
    private static final int VOCABULARY = 5;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void write() throws IOException {
        for (ElementType tokens : List.of(ElementType.INT64, ElementType.INT32)) {
            Files.write(folder.resolve(tokens + ".onnx"), OnnxWriter.write(graph(tokens)));
        }
        Files.createDirectories(folder.resolve("data"));
        for (int file = 0; file < 2; file++) {
            Random random = new Random(file);
            float[] features = new float[SAMPLES_PER_FILE * FEATURES];
            for (int i = 0; i < features.length; i++) {
                features[i] = (float) random.nextGaussian();
            }
            long[] tokens = random.longs((long) SAMPLES_PER_FILE * TOKENS, 0, VOCABULARY)
                    .toArray();
            writeArchive(folder.resolve("data/part-" + file + ".npz"), features, tokens);
        }
    }

    private static void writeArchive(Path file, float[] features, long[] tokens) throws IOException {
        Map<String, byte[]> arrays = Map.of(
                "features",
                NumpyFiles.array(
                        "<f4", false, "%d, %d".formatted(SAMPLES_PER_FILE, FEATURES), NumpyFiles.floats(features)),
                "tokens",
                NumpyFiles.array("<i8", false, "%d, %d".formatted(SAMPLES_PER_FILE, TOKENS), NumpyFiles.longs(tokens)));
        NumpyFiles.archive(file, true, arrays);
    }

    private static Graph graph(ElementType tokens) {
        Random random = new Random(3);
        return new Graph(
                "several",
                13,
                List.of(
                        new ValueInfo("features", ElementType.FLOAT32, new long[] {-1, FEATURES}),
                        new ValueInfo("tokens", tokens, new long[] {-1, TOKENS})),
                List.of(
                        new ValueInfo("hidden", ElementType.FLOAT32, new long[] {-1, 8}),
                        new ValueInfo("classes", ElementType.FLOAT32, new long[] {-1, 4})),
                Map.of(
                        "w1", weights(random, FEATURES, 8),
                        "embedding", weights(random, VOCABULARY, 8),
                        "w2", weights(random, 8, 4)),
                List.of(
                        new Node("encode", "Gemm", List.of("features", "w1"), List.of("hidden"), Map.of()),
                        new Node("look", "Gather", List.of("embedding", "tokens"), List.of("words"), Map.of()),
                        new Node(
                                "average",
                                "ReduceMean",
                                List.of("words"),
                                List.of("text"),
                                Map.of("axes", new long[] {1}, "keepdims", 0L)),
                        new Node("relu", "Relu", List.of("hidden"), List.of("active"), Map.of()),
                        new Node("join", "Add", List.of("active", "text"), List.of("both"), Map.of()),
                        new Node("classify", "Gemm", List.of("both", "w2"), List.of("classes"), Map.of())));
    }

    private static TensorData weights(Random random, long... shape) {
        float[] values = new float[(int) TensorData.elementCount(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return TensorData.ofFloats(values, shape);
    }

    @ParameterizedTest
    @EnumSource(names = {"INT64", "INT32"})
    void bothInputsAndBothOutputsPassThroughAllStages(ElementType type) throws Exception {
        RunResult result = run(type, "out-" + type, "data");

        RunMetrics metrics = result.metrics();
        assertThat(metrics.layers()).extracting(RunMetrics.Layer::name).containsExactly("encode", "look", "classify");
        assertThat(metrics.ptq().sqnrDb()).isGreaterThan(20);
        assertThat(metrics.gptq().sqnrDb()).isGreaterThan(20);
        byte[] quantized = Files.readAllBytes(folder.resolve("out-" + type + "/quantized.onnx"));
        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(quantized)) {
            assertThat(session.getInputNames()).containsExactly("features", "tokens");
            TensorInfo tokens =
                    (TensorInfo) session.getInputInfo().get("tokens").getInfo();
            assertThat(tokens.type).isEqualTo(OnnxJavaType.valueOf(type.name()));
            assertThat(session.getOutputNames()).containsExactly("hidden", "classes");
        }
    }

    @Test
    void aTokenThatIsNoIntegerIsNamed() throws IOException {
        Files.createDirectories(folder.resolve("halves"));
        byte[] halves = NumpyFiles.floats(new float[] {1, 0, 2, 1, 1.5f, 1});
        NumpyFiles.archive(
                folder.resolve("halves/part.npz"),
                true,
                Map.of(
                        "features",
                        NumpyFiles.array("<f4", false, "2, 6", NumpyFiles.floats(new float[12])),
                        "tokens",
                        NumpyFiles.array("<f4", false, "2, 3", halves)));

        assertThatThrownBy(() -> run(ElementType.INT64, "refused", "halves"))
                .hasMessageContaining("row 1")
                .hasMessageContaining("value 1.5 at position 1 of 'tokens' is no int64");
    }

    private static RunResult run(ElementType tokens, String output, String data) {
        DatasetConfig dataset = new DatasetConfig(
                folder.resolve(data).toString(),
                "npz",
                Map.of("features", InputMapping.of("features"), "tokens", InputMapping.of("tokens")),
                null,
                null,
                null);
        RunConfig config = RunConfig.builder()
                .setModel(folder.resolve(tokens + ".onnx").toString())
                .setCalibration(dataset)
                .setGptq(TestModel.gptq(2))
                .optTraining(new TrainingConfig(8, 4, 5, 2))
                .optDevice("cpu")
                .setOutput(new OutputConfig(folder.resolve(output).toString(), false))
                .build();
        return GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE);
    }
}
