package dev.gptq.onnx;

import dev.gptq.evaluate.ModelOutput;
import dev.gptq.evaluate.OnnxSession;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** Models with a second file, at a limit that small ones pass. */
class OnnxModelTest {
    private static final long LIMIT = 1000;
    private static final Map<String, TensorData> INPUT =
            Map.of("x", TensorData.ofFloats(new float[] {1, -2, 3, 0.5f}, 1, 4));

    @TempDir
    Path folder;

    @Test
    void aModelThatFitsIsOneFile() {
        assertThat(OnnxWriter.write(graph(), OnnxModel.LARGEST_FILE, "m.data"))
                .satisfies(model -> assertThat(model.outside()).isEmpty())
                .satisfies(model -> assertThat(model.file()).isEqualTo(OnnxWriter.write(graph())));
    }

    @Test
    void constantsThatDoNotFitLieOutsideAtPagesAndSmallOnesStay() {
        OnnxModel model = OnnxWriter.write(graph(), LIMIT, "m.data");

        assertThat(model.outside()).containsOnlyKeys("w1", "table");
        assertThat(model.file()).hasSizeLessThan(1000);
        // w1 has 1,200 bytes, and the table begins on the next page.
        assertThat(model.bytes()).isEqualTo(model.file().length + 4096 + 1200);
    }

    @Test
    void onnxRuntimeReadsBothFilesFromTheFolder() throws Exception {
        OnnxModel model = OnnxWriter.write(graph(), LIMIT, "m.data");
        write(model, "m.onnx", "m.data");

        try (ai.onnxruntime.OrtSession session = ai.onnxruntime.OrtEnvironment.getEnvironment()
                .createSession(folder.resolve("m.onnx").toString())) {
            assertThat(session.getNumOutputs()).isEqualTo(1);
        }
        assertThat(Files.size(folder.resolve("m.data"))).isEqualTo(model.bytes() - model.file().length);
    }

    @Test
    void aSessionOfBothPartsGivesWhatTheWholeModelGives() {
        assertThat(run(OnnxWriter.write(graph(), LIMIT, "m.data")))
                .isEqualTo(run(OnnxModel.of(OnnxWriter.write(graph()))));
    }

    @Test
    void readingBothFilesGivesTheGraphThatWasWritten() throws IOException {
        write(OnnxWriter.write(graph(), LIMIT, "m.data"), "m.onnx", "m.data");
        byte[] file = Files.readAllBytes(folder.resolve("m.onnx"));

        OnnxModel apart = ExternalTensors.read(file, "m.onnx", ExternalData.in(folder), LIMIT);
        OnnxModel whole = ExternalTensors.read(file, "m.onnx", ExternalData.in(folder), OnnxModel.LARGEST_FILE);

        assertThat(apart.outside()).containsOnlyKeys("w1", "table");
        assertThat(whole.outside()).isEmpty();
        Graph read = OnnxReader.read(apart, "m.onnx");
        assertThat(read.constants().get("w1")).isSameAs(apart.outside().get("w1"));
        assertThat(OnnxWriter.write(read)).isEqualTo(OnnxWriter.write(OnnxReader.read(whole, "m.onnx")));
        assertThat(run(apart)).isEqualTo(run(whole));
    }

    private void write(OnnxModel model, String file, String data) throws IOException {
        Files.write(folder.resolve(file), model.file());
        try (OutputStream out = Files.newOutputStream(folder.resolve(data))) {
            model.writeOutside(out);
        }
    }

    private static double[] run(OnnxModel model) {
        try (OnnxSession session = new OnnxSession(model, "test")) {
            ModelOutput output = session.run(INPUT).get("y");
            return output.values();
        }
    }

    /** x [1, 4] -> MatMul with 4 x 75 -> plus a scaled table of int8. */
    private static Graph graph() {
        Random random = new Random(3);
        float[] weights = new float[300];
        long[] bytes = new long[1200];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) random.nextGaussian();
        }
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = random.nextInt(256) - 128;
        }
        Map<String, TensorData> constants = new LinkedHashMap<>();
        constants.put("w1", TensorData.ofFloats(weights, 4, 75));
        constants.put("table", TensorData.ofLongs(ElementType.INT8, bytes, 16, 75));
        constants.put("scale", TensorData.ofFloats(new float[] {0.5f}));
        return new Graph(
                "two files",
                13,
                List.of(new ValueInfo("x", ElementType.FLOAT32, new long[] {-1, 4})),
                List.of(new ValueInfo("y", ElementType.FLOAT32, new long[] {-1, 75})),
                constants,
                List.of(
                        new Node("product", "MatMul", List.of("x", "w1"), List.of("p"), Map.of()),
                        new Node("real", "Cast", List.of("table"), List.of("r"), Map.of("to", 1L)),
                        new Node("scaled", "Mul", List.of("r", "scale"), List.of("t"), Map.of()),
                        new Node("sum", "Add", List.of("p", "t"), List.of("y"), Map.of())));
    }
}
