package dev.gptq.jobs;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** Ctrl-C, and a scheduler that ends the process, while jobs/bin/gptq trains. */
@EnabledOnOs(OS.LINUX)
class InterruptedRunIT {
    private static final int SAMPLES = 32;
    private static final int PIXELS = 28 * 28;
    private static final int STEPS = 30;
    private static final long POLL_MILLIS = 20;

    @TempDir
    private Path folder;

    private Path config;

    @BeforeEach
    void writeInputs() throws IOException {
        Path samples = Files.write(folder.resolve("x.npy"), npy());
        config = Files.writeString(
                folder.resolve("run.yaml"),
                """
                model: %s
                data: {calibration: {path: %s, inputs: {input: {column: x}}}}
                quantization: {weights: {bits: 2}}
                gptq: {n_epochs: %d, hessian_weights_config: null}
                training: {batch_size: %d, checkpoint_interval: 1}
                """
                        .formatted(Launcher.HOME.resolve("conf/quickstart/m1_bn.onnx"), samples, STEPS, SAMPLES));
    }

    @Test
    void theRunGoesOnWhereASignalStoppedItAndEndsWithTheBytesOfAnUndisturbedOne() throws Exception {
        stopBySignal("INT", 130, 1);
        int stoppedAt = newestCheckpoint();
        stopBySignal("TERM", 143, stoppedAt + 1);
        assertThat(newestCheckpoint()).isBetween(stoppedAt + 1, STEPS - 1);

        assertThat(runHere("stopped")).isZero();
        assertThat(runHere("whole")).isZero();

        for (String file : List.of("quantized.onnx", "ptq.onnx", "plan.json", "checkpoints/step-" + STEPS)) {
            assertThat(bytes("stopped", file)).as(file).isEqualTo(bytes("whole", file));
        }
    }

    /** Starts the run, waits until it has done {@code step} steps, and ends it. */
    private void stopBySignal(String signal, int status, int step) throws Exception {
        Launcher run =
                Launcher.start(folder, "quantize", config.toString(), "--set", "output.path=" + directory("stopped"));
        while (newestCheckpoint() < step && run.process().isAlive()) {
            Thread.sleep(POLL_MILLIS);
        }
        run.signal(signal);

        Launcher.Result result = run.await();

        assertThat(result.status()).as(result.out() + result.err()).isEqualTo(status);
        assertThat(result.err().lines().filter(line -> line.startsWith("gptq: ")))
                .containsExactly("gptq: " + Interruption.MESSAGE);
        assertThat(result.err()).as("stack traces").doesNotContain("\tat ");
        assertThat(directory("stopped").resolve("MANIFEST.json")).doesNotExist();
    }

    /** The same command in this process, which has a JVM already. */
    private int runHere(String name) {
        StringWriter err = new StringWriter();
        int status = GptqCommand.run(
                new PrintWriter(new StringWriter()),
                new PrintWriter(err, true),
                "quantize",
                config.toString(),
                "--set",
                "output.path=" + directory(name));
        assertThat(err.toString()).isEmpty();
        return status;
    }

    private Path directory(String name) {
        return folder.resolve(name);
    }

    /** Steps done when the newest checkpoint was committed; 0 without one. */
    private int newestCheckpoint() {
        String[] names =
                directory("stopped").resolve("checkpoints").toFile().list((at, name) -> name.startsWith("step-"));
        int newest = 0;
        for (String name : names == null ? new String[0] : names) {
            newest = Math.max(newest, Integer.parseInt(name.substring("step-".length())));
        }
        return newest;
    }

    private byte[] bytes(String name, String file) throws IOException {
        Path path = directory(name).resolve(file);
        if (!Files.isDirectory(path)) {
            return Files.readAllBytes(path);
        }
        StringBuilder all = new StringBuilder();
        try (var files = Files.list(path)) {
            for (Path part : files.sorted().toList()) {
                all.append(part.getFileName())
                        .append(new String(Files.readAllBytes(part), StandardCharsets.ISO_8859_1));
            }
        }
        return all.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] npy() {
        String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 1, 28, 28), }".formatted(SAMPLES);
        byte[] text = (header + " ".repeat(117 - header.length()) + "\n").getBytes(StandardCharsets.US_ASCII);
        ByteBuffer file = ByteBuffer.allocate(10 + text.length + SAMPLES * PIXELS * Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0})
                .putShort((short) text.length)
                .put(text);
        Random random = new Random(1);
        for (int i = 0; i < SAMPLES * PIXELS; i++) {
            file.putFloat(random.nextFloat() - 0.5f);
        }
        return file.array();
    }
}
