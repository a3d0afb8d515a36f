package dev.gptq.jobs;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** The second example of README.md with few lines and without training. */
class OcrIT {
    private static final Pattern RESULT = Pattern.compile("(?m)^(float|PTQ|GPTQ) +reads ([0-9.]+) of the characters");

    @TempDir
    Path folder;

    @Test
    @Timeout(300)
    void theRecognizerReadsNearlyAllCharactersAfterQuantization() {
        StringWriter out = new StringWriter();
        int status = GptqCommand.run(
                new PrintWriter(out, true),
                new PrintWriter(out, true),
                "ocr",
                "--calibration-lines=32",
                "--test-lines=100",
                "--set=data.calibration.path=" + folder.resolve("calibration.npz"),
                "--set=data.evaluation=null",
                "--set=gptq.n_epochs=0",
                "--set=output.path=" + folder.resolve("run"));

        assertThat(status).as(out.toString()).isZero();
        Map<String, Double> accuracy = new HashMap<>();
        Matcher lines = RESULT.matcher(out.toString());
        while (lines.find()) {
            accuracy.put(lines.group(1), Double.valueOf(lines.group(2)));
        }
        // .997 and .993 on 60 lines after calibration with 64.
        assertThat(accuracy.get("float")).isGreaterThanOrEqualTo(0.99);
        assertThat(accuracy.get("PTQ")).isGreaterThanOrEqualTo(0.98);
        assertThat(accuracy.get("GPTQ")).isEqualTo(accuracy.get("PTQ"));
    }
}
