package dev.gptq.spark.run;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.RunConfig;
import dev.gptq.graph.Graph;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.spark.TestModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class DriverHeapTest {
    private static final long MEGABYTE = 1 << 20;

    @TempDir
    private Path folder;

    @Test
    void whatIsNeededGrowsWithTheTrainedWeightsAndTheModel() throws IOException {
        TestModel.writeModel(folder.resolve("model.onnx"));
        RunConfig config = TestModel.config(folder, folder.resolve("run"))
                .setGptq(TestModel.gptq(1))
                .build();
        Graph graph = GraphPreparation.prepare(
                OnnxReader.read(Files.readAllBytes(folder.resolve("model.onnx")), "model"),
                config.quantization().preparation());

        DriverHeap local = DriverHeap.of(config, graph, 1000, true);
        DriverHeap larger = DriverHeap.of(config, graph, 2000, true);
        DriverHeap cluster = DriverHeap.of(config, graph, 1000, false);
        DriverHeap untrained = DriverHeap.of(
                TestModel.config(folder, folder.resolve("run"))
                        .setGptq(TestModel.gptq(0))
                        .build(),
                graph,
                1000,
                true);

        assertThat(local.weights()).isPositive();
        assertThat(larger.bytes() - local.bytes()).isEqualTo(3000);
        assertThat(local.bytes() - untrained.bytes()).isEqualTo(17 * 4 * local.weights());
        assertThat(cluster.bytes()).isBetween(untrained.bytes() + 1, local.bytes() - 1);
        assertThat(local.available()).isEqualTo(Runtime.getRuntime().maxMemory());
    }

    @Test
    void aHeapThatIsSureNotToDoIsRefusedAndOneThatMayNotIsWarnedOf() {
        List<String> warnings = new ArrayList<>();
        DriverHeap enough = new DriverHeap(1_000_000, 1000 * MEGABYTE, 1000 * MEGABYTE);
        DriverHeap scarce = new DriverHeap(1_000_000, 1000 * MEGABYTE, 900 * MEGABYTE);
        DriverHeap little = new DriverHeap(1_000_000, 1000 * MEGABYTE, 500 * MEGABYTE);

        enough.check(warnings::add);
        assertThat(warnings).isEmpty();
        scarce.check(warnings::add);
        GptqException refused = catchThrowableOfType(GptqException.class, () -> little.check(warnings::add));

        assertThat(warnings)
                .containsExactly(
                        "The driver may run out of memory: a model of 1000000 trained weights takes about 1000 MB of"
                                + " the driver's heap, which has 900 MB. Start with --driver-memory 1001m or more (where"
                                + " there is no spark-submit: -Xmx).");
        assertThat(refused.code()).isEqualTo(ErrorCode.CLUSTER);
        assertThat(refused)
                .hasMessageStartingWith("Cannot train: a model of 1000000 trained weights takes about 1000 MB")
                .hasMessageContaining("which has 500 MB. Start with --driver-memory 1001m");
    }
}
