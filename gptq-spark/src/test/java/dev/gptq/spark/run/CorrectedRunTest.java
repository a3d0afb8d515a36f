package dev.gptq.spark.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.RunConfigBuilder;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A run whose statistics change the float graph: all later stages, and a resumed run, work on the changed one. */
class CorrectedRunTest {
    private static final int OPSET_OF_HARD_SWISH = 14;

    @TempDir
    private static Path folder;

    private static RunResult whole;

    @BeforeAll
    static void runOnce() throws IOException {
        Graph graph = TestModel.graph();
        List<Node> nodes = graph.nodes().stream()
                .map(node -> node.is("Relu")
                        ? new Node(node.name(), "HardSwish", node.inputs(), node.outputs(), node.attributes())
                        : node)
                .toList();
        Graph smooth =
                new Graph(graph.name(), OPSET_OF_HARD_SWISH, graph.inputs(), graph.outputs(), graph.constants(), nodes);
        Files.write(folder.resolve("model.onnx"), OnnxWriter.write(smooth));
        TestModel.writeSamples(folder.resolve("data"), 2);
        whole = GptqPipeline.run(config("whole").build(), TestSpark.session(), ProgressListener.NONE);
    }

    @Test
    void thePlanListsTheCorrectionsOfBothActivations() throws IOException {
        JsonNode corrections = new ObjectMapper()
                .readTree(folder.resolve("whole/plan.json").toFile())
                .get("corrections");

        assertThat(corrections.findValuesAsText("tensor")).containsExactly("r1", "r2");
        assertThat(corrections.findValuesAsText("layer")).containsExactly("conv2", "classes");
        assertThat(corrections.findValuesAsText("kind")).containsOnly("SHIFT_NEGATIVE");
    }

    @Test
    void theExportedModelIsTheStudentThatWasTrained() {
        RunMetrics metrics = whole.metrics();

        assertThat(metrics.engineAgreement().top1()).isEqualTo(1);
        assertThat(metrics.engineAgreement().withinOneStep()).isEqualTo(1);
        assertThat(metrics.gptq().sqnrDb()).isGreaterThan(20);
        assertThat(metrics.layers()).extracting(RunMetrics.Layer::name).isEqualTo(TestModel.LAYERS);
        assertThat(metrics.layers())
                .allSatisfy(layer -> assertThat(layer.hessianWeight()).isPositive());
    }

    @Test
    void anInterruptedRunEndsWithTheSameBits() {
        ProgressListener crash = new GptqPipelineTest.RecordingListener() {
            @Override
            public void advanced(String stage, long doneUnits, String detail) {
                if (stage.equals("train") && doneUnits == 7) {
                    throw new IllegalStateException("power cut");
                }
            }
        };
        RunConfigBuilder config = config("interrupted");
        assertThatThrownBy(() -> GptqPipeline.run(config.build(), TestSpark.session(), crash))
                .hasMessage("power cut");

        GptqPipeline.run(config.build(), TestSpark.session(), ProgressListener.NONE);

        assertThat(folder.resolve("interrupted/quantized.onnx"))
                .hasSameBinaryContentAs(folder.resolve("whole/quantized.onnx"));
    }

    private static RunConfigBuilder config(String output) {
        PreparationConfig preparation =
                PreparationConfig.builder().optShiftNegativeRatio(1).build();
        return TestModel.config(folder, folder.resolve(output))
                .optQuantization(QuantizationConfig.ofPreset("imx500").withPreparation(preparation))
                .setOutput(new OutputConfig(folder.resolve(output).toString(), false));
    }
}
