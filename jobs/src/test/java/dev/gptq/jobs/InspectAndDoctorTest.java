package dev.gptq.jobs;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.ValueInfo;
import dev.gptq.mixedprecision.BitAssignment;
import dev.gptq.onnx.OnnxWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class InspectAndDoctorTest {
    private static final Path QUICKSTART = Path.of("..", "conf", "quickstart", "m1_bn.onnx");

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void inspectShowsOperatorsShapesLayersSizeAndMemory() {
        assertThat(run("inspect", QUICKSTART.toString())).isZero();

        assertThat(out.toString())
                .contains("Input       input float32 ?x1x28x28", "Conv 4", "Parameters  ", "16x1x3x3")
                .containsPattern("Quantized   about \\d+ bytes")
                .containsPattern("needs about \\d+ MB outside the heap \\(8 samples per lane\\)");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void inspectTakesBitsAndLanesFromAConfiguration() {
        Path config = Path.of("..", "conf", "quickstart.yaml");

        assertThat(run(
                        "inspect",
                        QUICKSTART.toString(),
                        "--config",
                        config.toString(),
                        "--set",
                        "training.lanes=16",
                        "--set",
                        "quantization.layers=[{name: /fc/Gemm, skip: true}]"))
                .isZero();

        assertThat(out.toString())
                .containsPattern("/fc/Gemm +Gemm +10x128 +float")
                .contains(" 2\n")
                .contains("(2 samples per lane)");
    }

    @Test
    void inspectShowsTheBitsThatARunChose() throws IOException {
        BitAssignment.Layer first =
                new BitAssignment.Layer("/conv2/Conv", 3, 4608, 1, List.of(3, 8), new double[] {0.2, 0.1});
        BitAssignment.Layer second =
                new BitAssignment.Layer("/fc/Gemm", 5, 1280, 1, List.of(5, 8), new double[] {0.2, 0.1});
        BitAssignment chosen =
                new BitAssignment("hessian", 32, 0.3, 0.3, 0, List.of(), List.of(first, second), List.of());
        Files.writeString(folder.resolve("mixed_precision.json"), chosen.toJson());

        assertThat(run("inspect", QUICKSTART.toString(), "--run", folder.toString()))
                .isZero();

        assertThat(out.toString())
                .containsPattern("/conv1/Conv +Conv +16x1x3x3 +8\n")
                .containsPattern("/conv2/Conv +Conv +32x16x3x3 +3\n")
                .containsPattern("/fc/Gemm +Gemm +10x128 +5\n");
    }

    @Test
    void aModelThatIsMissingOrNoneIsStatus2() throws IOException {
        assertThat(run("inspect", folder.resolve("absent.onnx").toString())).isEqualTo(2);
        assertThat(run(
                        "inspect",
                        Files.writeString(folder.resolve("text.onnx"), "no model")
                                .toString()))
                .isEqualTo(2);

        assertThat(err.toString().lines()).hasSize(2).allMatch(line -> line.startsWith("gptq: Cannot read model"));
    }

    @Test
    void aModelThatIsNotSupportedIsStatus4() throws IOException {
        Graph graph = new Graph(
                "odd",
                13,
                List.of(new ValueInfo("x", ElementType.FLOAT32, new long[] {-1, 3})),
                List.of(new ValueInfo("y", ElementType.FLOAT32, new long[] {-1, 3})),
                Map.of(),
                List.of(new Node("strange", "Bewilder", List.of("x"), List.of("y"), Map.of())));
        Path model = Files.write(folder.resolve("odd.onnx"), OnnxWriter.write(graph));

        assertThat(run("inspect", model.toString())).isEqualTo(4);

        assertThat(err.toString()).contains("Bewilder", "strange").hasLineCount(1);
    }

    @Test
    void doctorFindsAWholeInstallationWhole() {
        assertThat(run("doctor", "--path", folder.toString())).isZero();

        assertThat(out.toString().lines()).hasSize(6).allMatch(line -> line.startsWith("ok "));
        assertThat(out.toString())
                .contains("PyTorch 2.", "slots", "1 on 1 hosts", "cpu: in local mode", "write to the same place");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void doctorEndsWithTheStatusOfTheFirstThingThatIsWrong() {
        assertThat(run("doctor", "--path", "/proc/nowhere", "--device", "gpu")).isEqualTo(2);

        assertThat(out.toString().lines().filter(line -> line.startsWith("FAIL")))
                .hasSize(2)
                .anyMatch(line -> line.contains("Device") && line.contains("spark.driver.resource.gpu.amount"))
                .anyMatch(line -> line.contains("Directory") && line.contains("/proc/nowhere"));
        assertThat(err.toString()).isEmpty();
    }

    private int run(String... arguments) {
        return GptqCommand.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    }
}
