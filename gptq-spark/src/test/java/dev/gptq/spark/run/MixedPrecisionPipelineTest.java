package dev.gptq.spark.run;

import ai.onnx.proto.OnnxMl;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gptq.config.LayerOverride;
import dev.gptq.config.MixedPrecisionConfig;
import dev.gptq.config.MixedPrecisionConfig.Budget;
import dev.gptq.config.MixedPrecisionConfig.Sensitivity;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import dev.gptq.graph.ElementType;
import dev.gptq.mixedprecision.BitAssignment;
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

class MixedPrecisionPipelineTest {
    /** The layer that is given, so that it must not be chosen for. */
    private static final LayerOverride GIVEN = LayerOverride.ofWeights("conv1", LayerOverride.Values.ofBits(5));

    @TempDir
    private static Path folder;

    private static RunResult chosen;

    @BeforeAll
    static void runOnce() throws IOException {
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data"), 3);
        chosen = GptqPipeline.run(config("chosen", mixed(4)), TestSpark.session(), ProgressListener.NONE);
    }

    @Test
    void theChosenBitsAreInMetricsManifestAndReport() throws IOException {
        BitAssignment bits = chosen.metrics().mixedPrecision();

        assertThat(bits.layers()).extracting(BitAssignment.Layer::name).isEqualTo(TestModel.LAYERS);
        assertThat(bits.layers().get(0).bits()).isEqualTo(5);
        assertThat(bits.budget().get(0).used()).isLessThanOrEqualTo(4);
        assertThat(chosen.metrics().layers())
                .extracting(RunMetrics.Layer::bits)
                .isEqualTo(bits.layers().stream().map(BitAssignment.Layer::bits).toList());
        assertThat(chosen.metrics().timing()).containsKey("mixed_precision_s");
        assertThat(folder.resolve("chosen/report.html")).content().contains("Bits chosen: weights", "bits were given");
        JsonNode manifest = new ObjectMapper()
                .readTree(folder.resolve("chosen/MANIFEST.json").toFile());
        assertThat(manifest.get("files"))
                .extracting(file -> file.get("name").asText())
                .contains("mixed_precision.json", "mixed_precision.yaml");
    }

    @Test
    void theFileGivenBackAsConfigurationGivesTheSameModel() throws IOException {
        RunConfig config = givenBack("chosen", "given");

        assertThat(config.quantization().mixedPrecision()).isNull();
        assertThat(folder.resolve("given/quantized.onnx"))
                .hasSameBinaryContentAs(folder.resolve("chosen/quantized.onnx"));
        assertThat(folder.resolve("given/mixed_precision.json")).doesNotExist();
    }

    @Test
    void activationsOfSixteenBitsAreChosenTrainedWithExportedAndGivenBack() throws IOException {
        MixedPrecisionConfig mixed = MixedPrecisionConfig.builder()
                .setBudget(new Budget(null, 4.0, 12.0, null))
                .optActivationsBits(List.of(8, 16))
                .optSamples(20)
                .build();

        RunResult wide = GptqPipeline.run(config("wide", mixed), TestSpark.session(), ProgressListener.NONE);
        givenBack("wide", "wide-given");

        BitAssignment bits = wide.metrics().mixedPrecision();
        List<Integer> activations =
                bits.activations().stream().map(BitAssignment.Activation::bits).toList();
        assertThat(activations).contains(8, 16).allMatch(List.of(8, 16)::contains);
        double values = bits.activations().stream()
                .mapToDouble(BitAssignment.Activation::values)
                .sum();
        assertThat(bits.activations().stream()
                        .mapToDouble(activation -> activation.bits() * activation.values() / values)
                        .sum())
                .isLessThanOrEqualTo(12);
        assertThat(folder.resolve("wide/report.html")).content().contains("Bits chosen: weights", "activations");
        // The same kernels with finer activations.
        assertThat(bits.layers())
                .extracting(BitAssignment.Layer::bits)
                .isEqualTo(chosen.metrics().mixedPrecision().layers().stream()
                        .map(BitAssignment.Layer::bits)
                        .toList());
        assertThat(wide.metrics().ptq().sqnrDb())
                .isGreaterThan(chosen.metrics().ptq().sqnrDb());
        assertThat(wide.metrics().engineAgreement().withinOneStep()).isGreaterThan(0.97);
        long wideGrids = OnnxMl.ModelProto.parseFrom(Files.readAllBytes(folder.resolve("wide/quantized.onnx")))
                .getGraph()
                .getInitializerList()
                .stream()
                .filter(tensor -> tensor.getDataType() == ElementType.UINT16.onnxCode())
                .count();
        assertThat(wideGrids).isPositive();
        assertThat(Files.readAllBytes(folder.resolve("wide/quantized.onnx")))
                .isNotEqualTo(Files.readAllBytes(folder.resolve("wide/ptq.onnx")));
        assertThat(folder.resolve("wide-given/quantized.onnx"))
                .hasSameBinaryContentAs(folder.resolve("wide/quantized.onnx"));
    }

    /** Runs what a run's mixed_precision.yaml says in place of the budget. */
    private static RunConfig givenBack(String run, String output) throws IOException {
        String yaml = Files.readString(folder.resolve(run + "/mixed_precision.yaml"));
        RunConfig given = config(output, null);
        String rest = RunConfigReader.toYaml(given).replaceAll("(?m)^quantization:\\n(  .*\\n)*", "");
        RunConfig config = RunConfigReader.read(rest + yaml, output + ".yaml", List.of());
        GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE);
        return config;
    }

    @Test
    void aRunThatEndedBehindTheChoiceDoesNotChooseAgain() throws IOException {
        RunConfig config = config("resumed", mixed(4));
        assertThatThrownBy(() -> GptqPipeline.run(config, TestSpark.session(), GptqPipelineTest.crashBefore("hessian")))
                .hasMessage("power cut");
        GptqPipelineTest.RecordingListener resumed = new GptqPipelineTest.RecordingListener();

        GptqPipeline.run(config, TestSpark.session(), resumed);

        assertThat(resumed.events)
                .contains("finished mixed_precision")
                .noneMatch(event -> event.startsWith("advanced mixed_precision"));
        assertThat(folder.resolve("resumed/mixed_precision.json"))
                .hasSameBinaryContentAs(folder.resolve("chosen/mixed_precision.json"));
        assertThat(folder.resolve("resumed/quantized.onnx"))
                .hasSameBinaryContentAs(folder.resolve("chosen/quantized.onnx"));
    }

    @Test
    void anImpossibleBudgetLeavesNoDirectoryBehind() {
        assertThatThrownBy(() ->
                        GptqPipeline.run(config("impossible", mixed(2)), TestSpark.session(), ProgressListener.NONE))
                .hasMessageContainingAll("budget.weights_bits at 2", "the smallest possible is");
        assertThat(folder.resolve("impossible")).doesNotExist();
    }

    @Test
    void anAverageOfFourBitsIsBetterThanFourBitsEverywhere() throws IOException {
        RunMetrics everywhere = m1("everywhere", "null");
        RunMetrics average = m1("average", "{weights_bits: [2, 3, 4, 5, 6, 8], budget: {weights_bits: 4}}");

        assertThat(average.mixedPrecision().budget().get(0).used()).isLessThanOrEqualTo(4);
        assertThat(average.ptq().sqnrDb()).isGreaterThan(everywhere.ptq().sqnrDb());
    }

    /** The quickstart's model and some of its images, rounded to nearest. */
    private static RunMetrics m1(String output, String mixedPrecision) throws IOException {
        Path home = Path.of("..").toRealPath();
        String yaml = Files.readString(home.resolve("conf/quickstart.yaml")).replace("conf/", home + "/conf/");
        List<String> overrides = List.of(
                "quantization.weights.bits=4",
                "quantization.mixed_precision=" + mixedPrecision,
                "gptq.n_epochs=0",
                "data.calibration.limit=128",
                "data.evaluation=null",
                "device=cpu",
                "output.path=" + folder.resolve(output));
        return GptqPipeline.run(
                        RunConfigReader.read(yaml, "quickstart.yaml", overrides),
                        TestSpark.session(),
                        ProgressListener.NONE)
                .metrics();
    }

    private static MixedPrecisionConfig mixed(double bits) {
        return MixedPrecisionConfig.builder()
                .setBudget(Budget.ofWeightsBits(bits))
                .optSensitivity(Sensitivity.OUTPUT_ERROR)
                .optSamples(20)
                .build();
    }

    private static RunConfig config(String output, MixedPrecisionConfig mixed) {
        return TestModel.config(folder, folder.resolve(output))
                .setGptq(TestModel.gptq(1))
                .optQuantization(
                        QuantizationConfig.defaults().withLayers(List.of(GIVEN)).withMixedPrecision(mixed))
                .setOutput(new OutputConfig(folder.resolve(output).toString(), false))
                .build();
    }
}
