package dev.gptq.spark.run;

import ai.djl.ndarray.NDArray;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.RunConfigBuilder;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import dev.gptq.train.DistillationLoss;
import dev.gptq.train.LogFunction;
import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.StudentParameters;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class UserClassesPipelineTest {
    private static final List<StepResult> HEARD = new ArrayList<>();

    @TempDir
    static Path folder;

    @BeforeAll
    static void write() throws IOException {
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data"), 2);
    }

    @Test
    void aUsersLossIsTrainedWithAndTheLogFunctionHearsEveryStep() {
        RunMetrics metrics = GptqPipeline.run(
                        config().optAllowUserClasses(true).build(), TestSpark.session(), ProgressListener.NONE)
                .metrics();

        assertThat(HEARD).extracting(StepResult::step).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(metrics.train().loss())
                .containsExactly(HEARD.stream().mapToDouble(StepResult::loss).toArray());
        // The lanes' shares of the constant part of the loss sum to it.
        assertThat(HEARD).allSatisfy(step -> assertThat(step.distillationLoss()).isBetween(1000.0, 1001.0));
        assertThat(HEARD).anySatisfy(step -> assertThat(step.distillationLoss()).isGreaterThan(1000));
    }

    @Test
    void codeOfUsersNeedsPermission() {
        assertThatThrownBy(() -> config().build())
                .hasMessageContainingAll("gptq.loss", "Set allow_user_classes to true");
    }

    private static RunConfigBuilder config() {
        return TestModel.config(folder, folder.resolve("run"))
                .setGptq(GradientPTQConfig.builder()
                        .setNEpochs(1)
                        .optHessianWeightsConfig(GPTQHessianScoresConfig.perLayerDefaults())
                        .optLoss(ThousandMore.class.getName())
                        .optLogFunction(Recorder.class.getName())
                        .build());
    }

    /** Mean squared error of the last layer, and 1000. */
    public static final class ThousandMore implements DistillationLoss {
        @Override
        public NDArray share(List<NDArray> student, List<NDArray> teacher, Context context) {
            int last = student.size() - 1;
            NDArray error = student.get(last).sub(teacher.get(last));
            return error.mul(error).mean().add(1000).mul(context.shareOfBatch());
        }
    }

    /** Keeps what it hears. */
    public static final class Recorder implements LogFunction {
        @Override
        public void onStep(StepResult result, StudentParameters parameters) {
            HEARD.add(result);
        }
    }
}
