package dev.gptq.spark.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigBuilder;
import dev.gptq.config.TrainingConfig;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.zip.CRC32C;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class GptqPipelineTest {
    @TempDir
    private static Path folder;

    private static RunResult whole;

    @BeforeAll
    static void runOnce() throws IOException {
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data"), 3);
        whole = run(config("whole").optEvaluation(TestModel.dataset(folder.resolve("data"))));
    }

    @Test
    void theRunDirectoryHoldsWhatItsContractLists() throws IOException {
        assertThat(folder.resolve("whole").toFile().list())
                .containsExactlyInAnyOrder(
                        "quantized.onnx",
                        "ptq.onnx",
                        "metrics.json",
                        "timing.json",
                        "details.json",
                        "report.html",
                        "statistics.json",
                        "plan.json",
                        "hessian_scores.parquet",
                        "loss_weights.json",
                        "checkpoints",
                        "run.json",
                        "MANIFEST.json");
        assertThat(folder.resolve("whole/checkpoints").toFile().list()).containsExactlyInAnyOrder("step-15", "step-18");
        assertThat(whole.report()).endsWith("/whole/report.html");
        assertThat(whole.alreadyComplete()).isFalse();
    }

    @Test
    void theReportIsNamedAfterTheModel() {
        assertThat(folder.resolve("whole/report.html")).content().contains("<title>model.onnx");
    }

    @Test
    void theManifestListsEveryFileWithItsChecksum() throws IOException {
        JsonNode manifest = new ObjectMapper()
                .readTree(folder.resolve("whole/MANIFEST.json").toFile());

        List<String> names = new ArrayList<>();
        for (JsonNode file : manifest.get("files")) {
            byte[] content = Files.readAllBytes(
                    folder.resolve("whole").resolve(file.get("name").asText()));
            CRC32C crc = new CRC32C();
            crc.update(content);
            assertThat(file.get("crc32c").asText()).isEqualTo(String.format("%08x", crc.getValue()));
            assertThat(file.get("bytes").asLong()).isEqualTo(content.length);
            names.add(file.get("name").asText());
        }
        assertThat(names)
                .contains("quantized.onnx", "ptq.onnx", "metrics.json", "report.html", "statistics.json", "plan.json")
                .contains("checkpoints/step-18/MANIFEST.json")
                .noneMatch(name -> name.startsWith("samples"))
                .anyMatch(name -> name.startsWith("hessian_scores.parquet/part-"));
        assertThat(manifest.get("seed").asLong()).isZero();
        assertThat(manifest.get("device").asText()).isEqualTo("cpu");
        assertThat(manifest.get("numeric_promise").asText()).startsWith("bitwise: ");
        assertThat(folder.resolve("whole/report.html")).content().contains("numeric_promise", "bitwise: ");
        assertThat(manifest.at("/inputs/calibration/samples").asInt()).isEqualTo(TestModel.SAMPLES);
        assertThat(manifest.at("/inputs/model/crc32c").asText()).hasSize(8);
        assertThat(manifest.at("/versions/spark").asText())
                .isEqualTo(TestSpark.session().version());
        assertThat(manifest.at("/config/training/lanes").asInt()).isEqualTo(4);
    }

    @Test
    void scoresHaveOneRowPerSampleAndOneColumnPerLayer() {
        Dataset<Row> scores = TestSpark.session()
                .read()
                .parquet(folder.resolve("whole/hessian_scores.parquet").toString());

        assertThat(scores.columns()).containsExactly("sample", "conv1", "conv2", "classes");
        assertThat(scores.select("sample").distinct().count()).isEqualTo(TestModel.SAMPLES);
    }

    @Test
    void metricsCoverModelsStepsLayersAndTime() {
        RunMetrics metrics = whole.metrics();

        assertThat(metrics.floatModel().top1()).isBetween(0.0, 1.0);
        assertThat(metrics.ptq().sqnrDb()).isPositive();
        assertThat(metrics.gptq().agreement()).isBetween(0.5, 1.0);
        assertThat(metrics.train().steps()).isEqualTo(18);
        assertThat(metrics.train().loss()).hasSize(18);
        assertThat(metrics.layers()).extracting(RunMetrics.Layer::name).isEqualTo(TestModel.LAYERS);
        assertThat(metrics.timing())
                .containsOnlyKeys(
                        "prepare_s", "calibrate_s", "hessian_s", "train_s", "export_s", "evaluate_s", "total_s");
    }

    @Test
    void aFinishedRunIsNotRunAgain() {
        RunResult again = run(config("whole").optEvaluation(TestModel.dataset(folder.resolve("data"))));

        assertThat(again.alreadyComplete()).isTrue();
        assertThat(again.metrics().train().loss())
                .isEqualTo(whole.metrics().train().loss());
    }

    @Test
    void theSameRunWithAnotherExchangeIsTheSameRun() {
        RunResult again = run(config("whole")
                .optEvaluation(TestModel.dataset(folder.resolve("data")))
                .optTraining(new TrainingConfig(8, 4, null, 5, 2, "job")));

        assertThat(again.alreadyComplete()).isTrue();
    }

    @Test
    void theSameModelInAnotherPlaceIsTheSameRun() throws IOException {
        Path moved = Files.copy(folder.resolve("model.onnx"), folder.resolve("moved.onnx"));
        RunResult again = run(config("whole")
                .optEvaluation(TestModel.dataset(folder.resolve("data")))
                .setModel(moved.toString()));

        assertThat(again.alreadyComplete()).isTrue();
    }

    /** Engine and ONNX Runtime give doubles for them, and both are compared and evaluated as such. */
    @Test
    void aModelWithOutputsOfDoublePrecisionIsQuantizedAndEvaluated() throws IOException {
        Graph graph = TestModel.graph();
        List<Node> nodes = new ArrayList<>();
        graph.nodes().forEach(node -> nodes.add(node.is("Gemm") ? node.withOutputs(List.of("single")) : node));
        nodes.add(new Node("wide", "Cast", List.of("single"), List.of("output"), Map.of("to", 11L)));
        Graph wide = new Graph(
                graph.name(),
                graph.opset(),
                graph.inputs(),
                List.of(new ValueInfo("output", ElementType.FLOAT64, new long[] {-1, 4})),
                graph.constants(),
                nodes);
        Path model = Files.write(folder.resolve("wide.onnx"), OnnxWriter.write(wide));

        RunMetrics metrics = run(config("wide")
                        .setModel(model.toString())
                        .optEvaluation(TestModel.dataset(folder.resolve("data"))))
                .metrics();

        assertThat(metrics.floatModel().top1())
                .isEqualTo(whole.metrics().floatModel().top1());
        assertThat(metrics.gptq().sqnrDb()).isCloseTo(whole.metrics().gptq().sqnrDb(), Offset.offset(0.5));
        assertThat(metrics.engineAgreement().withinOneStep()).isEqualTo(1);
    }

    @Test
    void anInterruptedRunEndsWithTheSameBits() throws IOException {
        RunConfigBuilder config = config("interrupted");
        assertThatThrownBy(() -> GptqPipeline.run(config.build(), TestSpark.session(), crashAfter(13)))
                .hasMessage("power cut");
        assertThat(folder.resolve("interrupted/MANIFEST.json")).doesNotExist();
        RecordingListener resumed = new RecordingListener();

        RunResult result = GptqPipeline.run(config.build(), TestSpark.session(), resumed);

        assertThat(resumed.events).contains("advanced train 11").doesNotContain("advanced train 10");
        assertThat(resumed.events).noneMatch(event -> event.startsWith("advanced calibrate"));
        assertThat(resumed.events).noneMatch(event -> event.startsWith("advanced hessian"));
        assertThat(folder.resolve("interrupted/quantized.onnx"))
                .hasSameBinaryContentAs(folder.resolve("whole/quantized.onnx"));
        assertThat(result.metrics().train().loss())
                .isEqualTo(whole.metrics().train().loss());
    }

    @Test
    void samplesStayWhenAskedForAndGoWhenACompleteRunIsAskedForWithoutThem() throws IOException {
        RunConfigBuilder config = config("kept").setGptq(TestModel.gptq(0));
        String output = folder.resolve("kept").toString();
        run(config.setOutput(new OutputConfig(output, false, true)));
        assertThat(Files.readString(folder.resolve("kept/MANIFEST.json"))).contains("samples/calibration/index.json");

        RunResult again = run(config.setOutput(new OutputConfig(output, false, false)));

        assertThat(again.alreadyComplete()).isTrue();
        assertThat(folder.resolve("kept/samples")).doesNotExist();
    }

    @Test
    void gpusAreRefusedWhereThereAreNoneBeforeAnythingIsRead() {
        RunConfig config =
                config("gpu").setModel("nowhere.onnx").optDevice("gpu").build();

        assertThatThrownBy(() -> GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE))
                .hasMessageContainingAll(
                        "Cannot run on device 'gpu'", "spark.driver.resource.gpu.amount", "device: cpu");
        assertThat(folder.resolve("gpu")).doesNotExist();
    }

    @Test
    void anUnfinishedRunOfOtherSettingsIsRefusedWithWhatDiffers() {
        RunConfigBuilder config = config("refused");
        assertThatThrownBy(() -> GptqPipeline.run(config.build(), TestSpark.session(), crashAfter(7)))
                .hasMessage("power cut");

        assertThatThrownBy(() -> run(config.optSeed(3).setGptq(TestModel.gptq(1))))
                .hasMessageContainingAll(
                        "a different run (", "gptq.n_epochs is 2 there and 1 here", "seed is 0 there and 3 here")
                .hasMessageNotContaining("optimizer");
        // How often checkpoints are written is no difference.
        RunResult result =
                run(config.optSeed(0).setGptq(TestModel.gptq(2)).optTraining(new TrainingConfig(8, 4, 7, 1)));
        assertThat(result.metrics().train().loss())
                .isEqualTo(whole.metrics().train().loss());
    }

    @Test
    void aCheckpointOfAnotherPlanIsNotContinued() throws IOException {
        RunConfigBuilder config = config("replaced");
        assertThatThrownBy(() -> GptqPipeline.run(config.build(), TestSpark.session(), crashAfter(7)))
                .hasMessage("power cut");
        Path plan = folder.resolve("replaced/plan.json");
        Files.writeString(plan, Files.readString(plan) + " ");

        assertThatThrownBy(() -> run(config))
                .hasMessageContainingAll("step-5", "other inputs (quantization plan)", "Delete ");
    }

    /** Ends a run when that stage begins. */
    static ProgressListener crashBefore(String last) {
        return new RecordingListener() {
            @Override
            public void stageStarted(String stage, long totalUnits) {
                if (stage.equals(last)) {
                    throw new IllegalStateException("power cut");
                }
            }
        };
    }

    private static ProgressListener crashAfter(int step) {
        return new RecordingListener() {
            @Override
            public void advanced(String stage, long doneUnits, String detail) {
                if (stage.equals("train") && doneUnits == step) {
                    throw new IllegalStateException("power cut");
                }
            }
        };
    }

    @Test
    void withoutEpochsTheResultIsPlainPostTrainingQuantization() {
        run(config("plain").setGptq(TestModel.gptq(0)));

        assertThat(folder.resolve("plain/quantized.onnx")).hasSameBinaryContentAs(folder.resolve("plain/ptq.onnx"));
        assertThat(folder.resolve("plain/ptq.onnx")).hasSameBinaryContentAs(folder.resolve("whole/ptq.onnx"));
        assertThat(folder.resolve("plain/hessian_scores.parquet")).doesNotExist();
    }

    @Test
    void aModelOfAFixedBatchSizeGivesTheSameAsOneOfAny() throws IOException {
        Graph any = TestModel.graph();
        List<Node> nodes = any.nodes().stream()
                .map(node -> node.is("Flatten")
                        ? new Node("flatten", "Reshape", List.of("p", "row"), node.outputs(), Map.of())
                        : node)
                .toList();
        Map<String, TensorData> constants = new HashMap<>(any.constants());
        constants.put("row", TensorData.ofLongs(ElementType.INT64, new long[] {1, -1}, 2));
        ValueInfo input = new ValueInfo("input", ElementType.FLOAT32, new long[] {1, 1, 8, 8});
        ValueInfo output = new ValueInfo("output", ElementType.FLOAT32, new long[] {1, 4});
        Graph one = new Graph(any.name(), any.opset(), List.of(input), List.of(output), constants, nodes);
        Files.write(folder.resolve("one.onnx"), OnnxWriter.write(one));

        run(config("one").setModel(folder.resolve("one.onnx").toString()));

        Graph quantized = OnnxReader.read(Files.readAllBytes(folder.resolve("one/quantized.onnx")), "one");
        assertThat(quantized.inputs().get(0).shape()).containsExactly(-1, 1, 8, 8);
        assertThat(quantized.outputs().get(0).shape()).containsExactly(-1, 4);
        OnnxReader.read(Files.readAllBytes(folder.resolve("whole/quantized.onnx")), "whole")
                .constants()
                .forEach((name, values) -> assertThat(quantized.constants().get(name))
                        .as(name)
                        .usingRecursiveComparison()
                        .isEqualTo(values));
    }

    @Test
    void asManySamplesAreScoredAsTheConfigurationSays() {
        run(config("scored").setGptq(scoring(20)));

        Dataset<Row> scores = TestSpark.session()
                .read()
                .parquet(folder.resolve("scored/hessian_scores.parquet").toString());
        assertThat(scores.select("sample").orderBy("sample").collectAsList())
                .extracting(row -> row.getLong(0))
                .isEqualTo(LongStream.range(0, 20).boxed().toList());
        assertThatThrownBy(() -> run(config("too-many").setGptq(scoring(TestModel.SAMPLES + 1))))
                .hasMessageContaining("73 samples (hessians_num_samples): the calibration dataset has 72");
    }

    private static GradientPTQConfig scoring(int samples) {
        return GradientPTQConfig.builder()
                .setNEpochs(1)
                .optHessianWeightsConfig(GPTQHessianScoresConfig.builder()
                        .setPerSample(false)
                        .optHessiansNumSamples(samples)
                        .build())
                .build();
    }

    @Test
    void badDataLeavesNoDirectoryBehind() throws IOException {
        RunConfig config = config("bad")
                .setCalibration(TestModel.dataset(folder.resolve("nowhere")))
                .build();

        assertThatThrownBy(() -> GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE))
                .hasMessageContaining("nowhere");
        assertThat(folder.resolve("bad")).doesNotExist();
    }

    @Test
    void everyStageIsReportedOnceFromStartToFinish() {
        RecordingListener listener = new RecordingListener();
        RunConfig config = config("reported").setGptq(TestModel.gptq(1)).build();

        GptqPipeline.run(config, TestSpark.session(), listener);

        for (String stage : List.of("prepare", "calibrate", "hessian", "train", "export", "evaluate")) {
            assertThat(listener.events).containsOnlyOnce("started " + stage, "finished " + stage);
        }
        assertThat(listener.events).contains("advanced calibrate 3", "advanced hessian 72", "advanced train 9");
    }

    private static RunConfigBuilder config(String output) {
        return TestModel.config(folder, folder.resolve(output))
                .setOutput(new OutputConfig(folder.resolve(output).toString(), false));
    }

    private static RunResult run(RunConfigBuilder config) {
        return GptqPipeline.run(config.build(), TestSpark.session(), ProgressListener.NONE);
    }

    /** Keeps what it hears. */
    static class RecordingListener implements ProgressListener {
        final List<String> events = new ArrayList<>();

        @Override
        public void stageStarted(String stage, long totalUnits) {
            events.add("started " + stage);
        }

        @Override
        public void advanced(String stage, long doneUnits, String detail) {
            events.add("advanced " + stage + " " + doneUnits);
        }

        @Override
        public void stageFinished(String stage, double seconds, String summary) {
            events.add("finished " + stage);
        }

        @Override
        public void warning(String line) {
            events.add("warning " + line);
        }
    }
}
