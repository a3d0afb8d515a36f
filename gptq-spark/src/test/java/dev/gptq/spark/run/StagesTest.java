package dev.gptq.spark.run;

import dev.gptq.GptqException;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** One run, called stage by stage, beside the same run in one call. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class StagesTest {
    private static final Map<Stage, List<String>> NEW_FILES = Map.of(
            Stage.CALIBRATE, List.of("LOCK", "run.json", "samples", "statistics.json", "plan.json"),
            Stage.HESSIAN, List.of("hessian_scores.parquet", "loss_weights.json"),
            Stage.TRAIN, List.of("checkpoints"),
            Stage.EXPORT, List.of("ptq.onnx", "quantized.onnx"),
            Stage.EVALUATE, List.of("metrics.json"),
            Stage.REPORT, List.of("report.html", "MANIFEST.json"));

    @TempDir
    private static Path folder;

    private static final Map<String, Double> FIRST_SECONDS = new HashMap<>();

    private static GptqPipeline staged;

    @BeforeAll
    static void writeInputs() throws IOException {
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data"), 2);
        staged = GptqPipeline.builder()
                .setConfig(config("staged"))
                .optProgress(new FirstSeconds())
                .build();
    }

    @Test
    @Order(1)
    void eachStageLeavesItsFilesAndStops() {
        RunArtifacts run = RunArtifacts.open(folder.resolve("staged").toString(), TestSpark.session());
        assertThatThrownBy(run::plan).isInstanceOf(GptqException.class).hasMessageContaining("Run its stage calibrate");
        for (Stage stage : Stage.values()) {
            if (stage == Stage.PREPARE) {
                continue;
            }
            run = staged.runUntil(stage, TestSpark.session());

            for (Stage other : NEW_FILES.keySet()) {
                for (String name : NEW_FILES.get(other)) {
                    boolean expected = other.compareTo(stage) <= 0
                            && !name.equals("LOCK")
                            && !(name.equals("samples") && stage == Stage.REPORT);
                    assertThat(folder.resolve("staged").resolve(name).toFile().exists())
                            .as("%s after %s", name, stage)
                            .isEqualTo(expected);
                }
            }
        }
        assertThat(run.isComplete()).isTrue();
        assertThat(run.plan().weights())
                .extracting(WeightQuantizer::point)
                .extracting(point -> point.name())
                .isEqualTo(TestModel.LAYERS);
        assertThat(run.lossWeights().perLayer()).hasSize(TestModel.LAYERS.size());
        assertThat(run.scores(TestSpark.session()).count()).isEqualTo(TestModel.SAMPLES);
        assertThat(run.report()).endsWith("staged/report.html");
        // Those who only compared the models know what others took before them, and add what looking there cost.
        for (String name : List.of("calibrate", "hessian", "train")) {
            assertThat(run.metrics().timing().get(name + "_s")).isGreaterThan(FIRST_SECONDS.get(name));
        }
    }

    /** Keeps what each stage took when it was done for the first time. */
    private static final class FirstSeconds extends GptqPipelineTest.RecordingListener {
        @Override
        public void stageFinished(String stage, double seconds, String summary) {
            FIRST_SECONDS.putIfAbsent(stage, seconds);
        }
    }

    @Test
    @Order(2)
    void aRunLeavesTheApplicationsSparkAsItWas() {
        SparkSession session = TestSpark.session();
        SparkContext context = session.sparkContext();
        session.conf().set("spark.sql.shuffle.partitions", "3");
        context.setJobGroup("notebook cell 7", "mine", false);
        try {
            Map<String, String> settings = settings(session);
            Properties local = (Properties) context.getLocalProperties().clone();

            GptqPipeline.run(config("whole"), session, ProgressListener.NONE);

            assertThat(context.isStopped()).isFalse();
            assertThat(settings(session)).isEqualTo(settings);
            assertThat(context.getLocalProperties()).isEqualTo(local);
            assertThat(session.range(10).count()).isEqualTo(10);
        } finally {
            context.clearJobGroup();
            session.conf().set("spark.sql.shuffle.partitions", "2");
        }
    }

    @Test
    @Order(3)
    void theStagesOneByOneEndWithTheBytesOfTheWholeRun() {
        for (String name : List.of("statistics.json", "plan.json", "loss_weights.json", "ptq.onnx", "quantized.onnx")) {
            assertThat(folder.resolve("staged").resolve(name))
                    .as(name)
                    .hasSameBinaryContentAs(folder.resolve("whole").resolve(name));
        }
        assertThat(withoutTiming(metrics("staged"))).isEqualTo(withoutTiming(metrics("whole")));
    }

    @Test
    @Order(4)
    void aCompleteRunIsEvaluatedAndReportedAgainAndCompleteAfterwards() throws IOException {
        byte[] model = Files.readAllBytes(folder.resolve("staged/quantized.onnx"));
        RunMetrics before = metrics("staged");
        Files.writeString(folder.resolve("staged/report.html"), "spoilt");

        // What may replace a complete run does not when that is only looked at once more.
        OutputConfig replacing = new OutputConfig(folder.resolve("staged").toString(), true);
        GptqPipeline again = GptqPipeline.builder()
                .setConfig(TestModel.config(folder, folder.resolve("staged"))
                        .setOutput(replacing)
                        .build())
                .build();
        RunArtifacts reported = again.runUntil(Stage.REPORT, TestSpark.session());
        assertThat(folder.resolve("staged/report.html")).content().contains("<title>model.onnx");
        assertThat(Files.readString(folder.resolve("staged/MANIFEST.json")))
                .contains(Long.toString(Files.size(folder.resolve("staged/report.html"))));
        assertThat(reported.isComplete()).isTrue();

        Files.writeString(folder.resolve("staged/metrics.json"), "{}");
        RunArtifacts evaluated = again.runUntil(Stage.EVALUATE, TestSpark.session());

        assertThat(evaluated.isComplete()).isTrue();
        assertThat(withoutTiming(evaluated.metrics())).isEqualTo(withoutTiming(before));
        assertThat(evaluated.quantizedModel()).isEqualTo(model);
        assertThat(folder.resolve("staged/samples")).doesNotExist();
        assertThat(GptqPipeline.run(config("staged"), TestSpark.session(), ProgressListener.NONE)
                        .alreadyComplete())
                .isTrue();
    }

    @Test
    @Order(5)
    void earlierStagesOfACompleteRunDoNothing() throws IOException {
        byte[] manifest = Files.readAllBytes(folder.resolve("staged/MANIFEST.json"));

        for (Stage stage : List.of(Stage.CALIBRATE, Stage.HESSIAN, Stage.TRAIN, Stage.EXPORT)) {
            assertThat(staged.runUntil(stage, TestSpark.session()).isComplete()).isTrue();
        }

        assertThat(folder.resolve("staged/MANIFEST.json")).hasBinaryContent(manifest);
    }

    private static Map<String, String> settings(SparkSession session) {
        Map<String, String> settings = new TreeMap<>();
        Arrays.stream(session.sparkContext().getConf().getAll()).forEach(entry -> settings.put(entry._1(), entry._2()));
        scala.jdk.javaapi.CollectionConverters.asJava(session.conf().getAll())
                .forEach((key, value) -> settings.put("session " + key, value));
        Map<String, String> hadoop = new HashMap<>();
        session.sparkContext().hadoopConfiguration().forEach(entry -> hadoop.put(entry.getKey(), entry.getValue()));
        hadoop.forEach((key, value) -> settings.put("hadoop " + key, value));
        return settings;
    }

    private static RunMetrics metrics(String name) {
        return RunArtifacts.open(folder.resolve(name).toString(), TestSpark.session())
                .metrics();
    }

    private static String withoutTiming(RunMetrics metrics) {
        return dev.gptq.report.MetricsFile.toJson(metrics).replaceAll("\"[a-z]+_s\" : [^,\\n]*", "");
    }

    private static RunConfig config(String name) {
        return TestModel.config(folder, folder.resolve(name)).build();
    }
}
