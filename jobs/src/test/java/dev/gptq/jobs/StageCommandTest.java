package dev.gptq.jobs;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class StageCommandTest {
    private static final List<String> STAGES = List.of("calibrate", "hessian", "train", "export", "evaluate", "report");

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void aDryRunComputesNothingAStageStopsAndQuantizeGoesOn() throws Exception {
        assertThat(small("quantize", "--dry-run")).isZero();
        assertThat(folder.resolve("run")).doesNotExist();

        assertThat(small("calibrate")).isZero();
        assertThat(folder.resolve("run/plan.json")).exists();
        assertThat(folder.resolve("run/checkpoints")).doesNotExist();

        assertThat(small("quantize")).isZero();
        assertThat(folder.resolve("run/MANIFEST.json")).exists();
    }

    @Test
    void helpListsEveryStageAndEveryExitStatus() {
        assertThat(run("--help")).isZero();

        assertThat(out.toString())
                .contains(STAGES)
                .contains("Exit statuses:", "130   interrupted", "143   terminated", "learn the rounding");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void theCompletionScriptCompletesCommandsAndOptionsInBash() throws Exception {
        assertThat(run("completion")).isZero();
        Path script = Files.writeString(folder.resolve("gptq.bash"), out.toString());

        assertThat(completions(script, "gptq", "hes")).containsExactly("hessian");
        assertThat(completions(script, "gptq", "quantize", "--s")).containsExactly("--set");
    }

    /** What bash offers for the last word. */
    private static List<String> completions(Path script, String... words) throws Exception {
        String call = "source %s; COMP_WORDS=(%s); COMP_CWORD=%d; _complete_gptq; printf '%%s\\n' \"${COMPREPLY[@]}\""
                .formatted(script, String.join(" ", words), words.length - 1);
        Process bash = new ProcessBuilder("bash", "-c", call)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String offered = new String(bash.getInputStream().readAllBytes());
        bash.waitFor();
        return Arrays.stream(offered.split("\\s+"))
                .filter(word -> !word.isEmpty())
                .toList();
    }

    private int small(String... command) {
        Path home = Path.of("..").toAbsolutePath().normalize();
        List<String> arguments = new ArrayList<>(List.of(command));
        arguments.add(home.resolve("conf/quickstart.yaml").toString());
        for (String setting : List.of(
                "model=" + home.resolve("conf/quickstart/m1_bn.onnx"),
                "data.calibration.path=" + home.resolve("conf/quickstart/calibration.parquet"),
                "data.calibration.limit=32",
                "data.evaluation=null",
                "training.batch_size=16",
                "gptq.n_epochs=1",
                "output.overwrite=false",
                "output.path=" + folder.resolve("run"))) {
            arguments.addAll(List.of("--set", setting));
        }
        return run(arguments.toArray(String[]::new));
    }

    private int run(String... arguments) {
        return GptqCommand.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    }
}
