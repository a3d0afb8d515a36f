package dev.gptq.spark.run;

import dev.gptq.config.DatasetConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.TextConfig;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class TextPipelineTest {
    private static final String TOKENIZER =
            """
            {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"},
             "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "to": 1, "be": 2, "or": 3, "not": 4}}}
            """;

    @TempDir
    private Path folder;

    @Test
    void textsOfManyLengthsGiveTheSameModelFromOneFileAndFromThree() throws IOException {
        Files.write(folder.resolve("model.onnx"), OnnxWriter.write(model()));
        Files.writeString(folder.resolve("tokenizer.json"), TOKENIZER);
        Random random = new Random(4);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 48; i++) {
            StringBuilder line = new StringBuilder("line").append(i);
            for (int word = random.nextInt(30); word >= 0; word--) {
                line.append(' ').append(List.of("to", "be", "or", "not").get(random.nextInt(4)));
            }
            lines.add(line.toString());
        }
        Files.write(Files.createDirectory(folder.resolve("one")).resolve("all.txt"), lines);
        Collections.reverse(lines);
        Files.createDirectory(folder.resolve("three"));
        for (int part = 0; part < 3; part++) {
            Files.write(folder.resolve("three/" + part + ".txt"), lines.subList(16 * part, 16 * part + 16));
        }

        RunResult one = run("one");
        run("three");

        assertThat(one.metrics().gptq().sqnrDb()).isGreaterThan(10);
        assertThat(Files.readAllBytes(folder.resolve("run-three/quantized.onnx")))
                .isEqualTo(Files.readAllBytes(folder.resolve("run-one/quantized.onnx")));
    }

    private RunResult run(String data) {
        DatasetConfig dataset = DatasetConfig.builder(folder.resolve(data).toString())
                .optFormat("text")
                .setInputs(Map.of("input_ids", InputMapping.of("input_ids")))
                .optText(new TextConfig(
                        folder.resolve("tokenizer.json").toString(),
                        "value",
                        null,
                        24,
                        null,
                        true,
                        TextConfig.Padding.LONGEST))
                .build();
        RunConfig config = TestModel.config(folder, folder)
                .setCalibration(dataset)
                .setGptq(TestModel.gptq(1))
                .setOutput(new OutputConfig(folder.resolve("run-" + data).toString(), false))
                .build();
        return GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE);
    }

    /** The mean of the tokens' features through two linear layers. */
    private static Graph model() {
        Random random = new Random(5);
        Map<String, TensorData> constants =
                Map.of("words", weights(random, 5, 8), "w1", weights(random, 8, 16), "w2", weights(random, 16, 4));
        List<Node> nodes = List.of(
                new Node("embed", "Gather", List.of("words", "input_ids"), List.of("e"), Map.of()),
                new Node("linear1", "MatMul", List.of("e", "w1"), List.of("h"), Map.of()),
                new Node("relu", "Relu", List.of("h"), List.of("r"), Map.of()),
                new Node(
                        "mean",
                        "ReduceMean",
                        List.of("r"),
                        List.of("m"),
                        Map.of("axes", new long[] {1}, "keepdims", 0L)),
                new Node("linear2", "MatMul", List.of("m", "w2"), List.of("output"), Map.of()));
        return new Graph(
                "text",
                13,
                List.of(new ValueInfo("input_ids", ElementType.INT64, new long[] {-1, -1})),
                List.of(new ValueInfo("output", ElementType.FLOAT32, new long[] {-1, 4})),
                constants,
                nodes);
    }

    private static TensorData weights(Random random, int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * 0.5f;
        }
        return TensorData.ofFloats(values, new long[] {rows, columns});
    }
}
