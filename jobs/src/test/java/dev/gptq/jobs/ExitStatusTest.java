package dev.gptq.jobs;

import dev.gptq.train.LogFunction;
import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.StudentParameters;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** How runs end that do not reach their end, on a few images of the quickstart. */
class ExitStatusTest {
    private static final Path HOME = Path.of("..").toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    private final StringWriter err = new StringWriter();

    @BeforeEach
    void setHome() {
        System.setProperty(ProjectHome.PROPERTY, HOME.toString());
    }

    @AfterEach
    void clearHome() {
        System.clearProperty(ProjectHome.PROPERTY);
    }

    @Test
    void divergedTrainingIsStatus5AndNamesTheStep() {
        assertThat(quickstart("gptq.n_epochs=3", "gptq.optimizer_bias={type: SGD, learning_rate: 1e38}"))
                .isEqualTo(5);

        assertThat(err.toString())
                .startsWith("gptq: Cannot continue training at step ")
                .contains("Lower the learning rate")
                .hasLineCount(1);
    }

    @Test
    void aRunWhoseSparkIsStoppedIsStatus130AndKeepsItsCheckpoints() {
        assertThat(quickstart(
                        "gptq.n_epochs=3",
                        "training.checkpoint_interval=1",
                        "allow_user_classes=true",
                        "gptq.log_function=" + Stop.class.getName()))
                .isEqualTo(130);
        assertThat(err.toString())
                .contains("it was stopped", "Start the same command again")
                .hasLineCount(1);
        assertThat(folder.resolve("run/checkpoints")).isNotEmptyDirectory();
    }

    /** Stops Spark in the third step. */
    public static final class Stop implements LogFunction {
        @Override
        public void onStep(StepResult result, StudentParameters parameters) {
            if (result.step() == 2) {
                SparkSession.active().sparkContext().stop();
            }
        }
    }

    private int quickstart(String... settings) {
        List<String> arguments = new ArrayList<>(List.of("quickstart"));
        List<String> small = List.of(
                "data.calibration.limit=32",
                "data.evaluation=null",
                "training.batch_size=16",
                "gptq.hessian_weights_config=null",
                "output.path=" + folder.resolve("run"));
        for (String setting : small) {
            arguments.addAll(List.of("--set", setting));
        }
        for (String setting : settings) {
            arguments.addAll(List.of("--set", setting));
        }
        err.getBuffer().setLength(0);
        return GptqCommand.run(
                new PrintWriter(new StringWriter()), new PrintWriter(err, true), arguments.toArray(String[]::new));
    }
}
