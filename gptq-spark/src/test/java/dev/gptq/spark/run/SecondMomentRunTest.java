package dev.gptq.spark.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gptq.config.ErrorCompensationConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** A run that measures the outputs of rounded layers and corrects their moments. */
class SecondMomentRunTest {
    private static final int CHANNELS = 6;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void writeModelAndData() throws IOException {
        Files.write(folder.resolve("model.onnx"), OnnxWriter.write(normalized(TestModel.graph())));
        TestModel.writeSamples(folder.resolve("data"), 2);
    }

    @Test
    void theSwitchCorrectsTheLayersThatHadANormalizationAndTheStudentIsExported() throws IOException {
        RunResult result = run("corrected", true);
        List<JsonNode> factors = factors("corrected");

        assertThat(factors.get(0).size()).isEqualTo(CHANNELS);
        assertThat(factors.get(1).size()).isEqualTo(CHANNELS);
        assertThat(factors.get(2)).isNull();
        assertThat(result.metrics().engineAgreement().withinOneStep()).isEqualTo(1);
        // These normalizations were trained on nothing, so that what they wanted is not what the float model does.
        run("plain", false);
        assertThat(factors("plain")).containsOnlyNulls();
        assertThat(Files.mismatch(folder.resolve("plain/ptq.onnx"), folder.resolve("corrected/ptq.onnx")))
                .isNotNegative();
    }

    @Test
    void compensatedKernelsStandForTheFloatOnesNotForCorrectedOnes() {
        GradientPTQConfig gptq = GradientPTQConfig.builder()
                .setNEpochs(0)
                .optErrorCompensationConfig(new ErrorCompensationConfig(64, 0.01))
                .build();

        double uncorrected = run("compensated", false, gptq).metrics().gptq().sqnrDb();
        double corrected = run("both", true, gptq).metrics().gptq().sqnrDb();

        assertThat(corrected).isCloseTo(uncorrected, within(0.1));
    }

    private static List<JsonNode> factors(String output) throws IOException {
        List<JsonNode> factors = new ArrayList<>();
        new ObjectMapper()
                .readTree(folder.resolve(output + "/plan.json").toFile())
                .get("weights")
                .forEach(layer -> factors.add(layer.get("kernel_factor")));
        return factors;
    }

    private static RunResult run(String output, boolean corrected) {
        return run(output, corrected, TestModel.gptq(1));
    }

    private static RunResult run(String output, boolean corrected, GradientPTQConfig gptq) {
        PreparationConfig preparation = PreparationConfig.builder()
                .optWeightsSecondMomentCorrection(corrected)
                .build();
        return GptqPipeline.run(
                TestModel.config(folder, folder.resolve(output))
                        .optQuantization(QuantizationConfig.defaults().withPreparation(preparation))
                        .setGptq(gptq)
                        .setOutput(new OutputConfig(folder.resolve(output).toString(), false))
                        .build(),
                TestSpark.session(),
                ProgressListener.NONE);
    }

    /** The test model with a BatchNormalization behind each convolution. */
    static Graph normalized(Graph graph) {
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        constants.put("gamma", channels(0.8f, 0.1f));
        constants.put("beta", channels(0.3f, -0.05f));
        constants.put("mean", channels(0.1f, 0.02f));
        constants.put("var", channels(0.5f, 0.2f));
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            nodes.add(node.is("Relu") ? node.withInputs(List.of(node.input(0) + "_bn")) : node);
            if (node.is("Conv")) {
                nodes.add(new Node(
                        node.name() + "_bn",
                        "BatchNormalization",
                        List.of(node.output(), "gamma", "beta", "mean", "var"),
                        List.of(node.output() + "_bn"),
                        Map.of()));
            }
        }
        return graph.withConstants(constants).withNodes(nodes);
    }

    private static TensorData channels(float first, float step) {
        float[] values = new float[CHANNELS];
        for (int channel = 0; channel < CHANNELS; channel++) {
            values[channel] = first + channel * step;
        }
        return TensorData.ofFloats(values, CHANNELS);
    }
}
