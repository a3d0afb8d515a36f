package dev.gptq.spark.run;

import dev.gptq.GptqException;
import dev.gptq.config.ErrorCompensationConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.RunConfigBuilder;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class DryRunTest {
    @TempDir
    private static Path folder;

    @BeforeAll
    static void writeInputs() throws IOException {
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data"), 2);
    }

    @Test
    void thePlanListsStagesSamplesStepsLayersTimeAndMemoryAndLeavesNothing() throws IOException {
        RunPlan plan = plan(config("runs/deep/new"));

        assertThat(plan.content()).isEqualTo("empty");
        assertThat(plan.layers()).isEqualTo(TestModel.LAYERS.size());
        assertThat(plan.samples()).isEqualTo(TestModel.SAMPLES);
        assertThat(plan.evaluated()).isNull();
        assertThat(plan.stages()).extracting(RunPlan.PlannedStage::stage).containsExactly(Stage.values());
        // 72 samples are 9 batches of 8, twice.
        assertThat(plan.stages())
                .extracting(RunPlan.PlannedStage::work)
                .contains("18 steps of 8 samples in 4 lanes", "72 samples at 3 layers", "72 samples in 3 blocks");
        // One float image of 8 x 8 and an int64 label.
        assertThat(plan.storedBytes()).isEqualTo(TestModel.SAMPLES * (64 * 4 + 8));
        assertThat(plan.taskBytes()).isBetween(1000L, 1_000_000L);
        assertThat(plan.jvmBytes()).isGreaterThan(2 * plan.taskBytes());
        assertThat(plan.driverBytes()).isBetween(1L, Runtime.getRuntime().maxMemory());
        assertThat(plan.seconds()).isBetween(1.0, 60.0);
        assertThat(plan.machines()).isEqualTo(1);
        assertThat(folder.resolve("runs")).doesNotExist();
        assertThat(folder.toFile().list()).containsExactlyInAnyOrder("model.onnx", "data");
    }

    @Test
    void aSampleThatCannotBeUsedIsFoundInTheFirstRows() {
        Path data = folder.resolve("../bad-" + folder.getFileName()).normalize();
        TestSpark.session()
                .createDataFrame(
                        List.of(RowFactory.create(1L, new byte[63], 1)),
                        new StructType()
                                .add("id", DataTypes.LongType)
                                .add("image", DataTypes.BinaryType)
                                .add("label", DataTypes.IntegerType))
                .write()
                .parquet(data.toString());

        assertThatThrownBy(() -> plan(config("bad").setCalibration(TestModel.dataset(data))))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("image");
    }

    @Test
    void aDirectoryOfOthersIsRefusedUnlessItMayBeReplacedAndThenOnlyNamed() throws IOException {
        Path other = Files.createDirectories(Files.createTempDirectory("gptq-dry-run"));
        Files.writeString(other.resolve("letter.txt"), "dear");

        assertThatThrownBy(() -> plan(config("x").setOutput(new OutputConfig(other.toString(), false))))
                .hasMessageContaining("it holds other files");
        assertThat(plan(config("x").setOutput(new OutputConfig(other.toString(), true)))
                        .content())
                .isEqualTo("other");

        assertThat(other.toFile().list()).containsExactly("letter.txt");
        Files.delete(other.resolve("letter.txt"));
        Files.delete(other);
    }

    @Test
    void stagesAfterTheLastOneAreLeftOut() {
        RunPlan plan = GptqPipeline.builder()
                .setConfig(config("y").setGptq(TestModel.gptq(0)).build())
                .build()
                .plan(Stage.TRAIN, TestSpark.session());

        assertThat(plan.stages()).hasSize(4);
        assertThat(plan.stages().get(3).work()).isEqualTo("nothing");
    }

    @Test
    void compensationIsPartOfTrainingWithAndWithoutSteps() {
        RunPlan compensated = plan(config("z").setGptq(compensated(0)));
        RunPlan trained = plan(config("z").setGptq(compensated(2)));

        assertThat(compensated.stages().get(3).work()).isEqualTo("64 samples to compensate with");
        // Of one pass over so small a model, what Spark's jobs take is the most.
        assertThat(compensated.stages().get(3).seconds()).isBetween(2.0, 10.0);
        assertThat(trained.stages().get(3).work())
                .isEqualTo("64 samples to compensate with, 18 steps of 8 samples in 4 lanes");
    }

    private static GradientPTQConfig compensated(int epochs) {
        return GradientPTQConfig.builder()
                .setNEpochs(epochs)
                .optErrorCompensationConfig(new ErrorCompensationConfig(64, 0.01))
                .build();
    }

    private static RunPlan plan(RunConfigBuilder config) {
        return GptqPipeline.builder().setConfig(config.build()).build().plan(Stage.REPORT, TestSpark.session());
    }

    private static RunConfigBuilder config(String output) {
        return TestModel.config(folder, folder.resolve(output));
    }
}
