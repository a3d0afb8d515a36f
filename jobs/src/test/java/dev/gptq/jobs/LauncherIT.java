package dev.gptq.jobs;

import dev.gptq.config.RunConfigReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** jobs/bin/gptq with the packaged jar. */
@DisabledOnOs(OS.WINDOWS)
class LauncherIT {
    private static final Path HOME =
            Path.of(System.getProperty("gptq.home")).toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    @Test
    void printDefaultsWorksThroughALinkFromAnotherDirectory() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("gptq"), HOME.resolve("jobs/bin/gptq"));

        Result result = run(Map.of(), link.toString(), "config", "--print-defaults");

        assertThat(result.status()).isZero();
        assertThat(result.out()).isEqualTo(RunConfigReader.defaultsAsYaml());
    }

    @Test
    void theStatusOfAFailureUnderSparkSubmitReachesTheShell() throws Exception {
        Result result = run(Map.of("SPARK_HOME", ""), launcher(), "quantize", "absent.yaml", "--master", "local[1]");

        assertThat(result.err())
                .isEqualTo("gptq: Cannot read configuration absent.yaml: there is no such file. "
                        + "Create one with 'gptq config --print-defaults'.\n");
        assertThat(result.status()).isEqualTo(3);
    }

    @Test
    void sparkSubmitOptionsReachSparkSubmitWhereverTheyStand() throws Exception {
        Path sparkHome = folder.resolve("spark");
        Path submit = Files.createDirectories(sparkHome.resolve("bin")).resolve("spark-submit");
        Files.writeString(submit, "#!/bin/sh\nfor a in \"$@\"; do echo \"$a\"; done\n");
        assertThat(submit.toFile().setExecutable(true)).isTrue();

        Result result = run(
                Map.of("SPARK_HOME", sparkHome.toString()),
                launcher(),
                "--master=yarn",
                "quantize",
                "--conf",
                "spark.a=b c",
                "run.yaml",
                "--set",
                "seed=1",
                "--num-executors",
                "3",
                "--set",
                "--queue");

        List<String> arguments = result.out().lines().toList();
        int jar = arguments.size() - 7;
        assertThat(arguments.get(jar)).endsWith("-all.jar");
        assertThat(arguments.subList(jar + 1, arguments.size()))
                .containsExactly("quantize", "run.yaml", "--set", "seed=1", "--set", "--queue");
        assertThat(arguments.subList(0, jar))
                .containsSubsequence("--master", "yarn", "--conf", "spark.a=b c", "--num-executors", "3")
                .containsSequence("--class", "dev.gptq.jobs.GptqCommand")
                .doesNotContain("local[*]");
    }

    @Test
    void aMasterOfNoKnownKindIsRefusedBeforeSparkStarts() throws Exception {
        Result result = run(Map.of(), launcher(), "quantize", "run.yaml", "--conf", "spark.master=mesos://host");

        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err())
                .startsWith("gptq: Cannot use --master mesos://host")
                .hasLineCount(1);
    }

    @Test
    void aFailureToStartSparkIsOneLineWithTheStatusOfTheCluster() throws Exception {
        Result result = run(
                Map.of("SPARK_HOME", ""),
                launcher(),
                "quantize",
                HOME.resolve("conf/quickstart.yaml").toString(),
                "--master",
                "local[few]");

        assertThat(result.err())
                .startsWith("gptq: Cannot start Spark on master local[few]")
                .hasLineCount(1);
        assertThat(result.status()).isEqualTo(6);
    }

    @Test
    void anOldJavaIsNamed() throws Exception {
        Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n");
        assertThat(java.toFile().setExecutable(true)).isTrue();

        Result result = run(Map.of("JAVA_HOME", folder.resolve("jdk").toString()), launcher(), "--version");

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err())
                .isEqualTo("gptq: Cannot use " + java + ": it is version 1.8.0_402. "
                        + "Set JAVA_HOME to a JDK 17 or newer.\n");
    }

    @Test
    void inspectAndDoctorRunThroughTheLauncher() throws Exception {
        String model = HOME.resolve("conf/quickstart/m1_bn.onnx").toString();
        Result inspect = run(Map.of("SPARK_HOME", ""), launcher(), "inspect", model);
        Result doctor = run(
                Map.of("SPARK_HOME", ""), launcher(), "doctor", "--path", folder.toString(), "--master", "local[1]");

        assertThat(inspect.status()).as(inspect.err()).isZero();
        assertThat(inspect.out()).contains("Conv 4", "Quantized   about");
        assertThat(doctor.status()).as(doctor.err()).isZero();
        assertThat(doctor.out().lines()).allMatch(line -> line.startsWith("ok "));
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aRunThatIsTerminatedOrInterruptedSaysSoAndGoesOnFromItsCheckpoint() throws Exception {
        String[] command = {
            launcher(),
            "quickstart",
            "--master",
            "local[1]",
            "--set",
            "data.calibration.limit=32",
            "--set",
            "data.evaluation=null",
            "--set",
            "training.batch_size=8",
            "--set",
            "training.checkpoint_interval=1",
            "--set",
            "training.checkpoints_kept=999",
            "--set",
            "gptq.n_epochs=200",
            "--set",
            "gptq.hessian_weights_config=null",
            "--set",
            "output.path=" + folder.resolve("run")
        };
        Path checkpoints = folder.resolve("run/checkpoints");

        assertThat(stop("TERM", checkpoints.resolve("step-3"), command)).isEqualTo(143);
        assertThat(checkpoints.resolve("step-200")).doesNotExist();
        int done = checkpoints.toFile().list().length;
        // A process that a script started in the background may be told to ignore interrupts.
        String signal = ignoresInterrupts() ? "TERM" : "INT";
        Path next = checkpoints.resolve("step-" + (done + 5));
        assertThat(stop(signal, next, command)).isEqualTo(signal.equals("INT") ? 130 : 143);

        assertThat(folder.resolve("run/MANIFEST.json")).doesNotExist();
        assertThat(Files.readString(folder.resolve("out.txt")))
                .contains("calibrate")
                .contains("reused");
    }

    /** Starts the command, sends the signal once the file is there, and returns the status. */
    private int stop(String signal, Path file, String... command) throws Exception {
        Process process = start(Map.of("SPARK_HOME", ""), command);
        try {
            long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
            while (!Files.exists(file) && process.isAlive() && System.nanoTime() < deadline) {
                Thread.sleep(20);
            }
            assertThat(process.isAlive())
                    .as(() -> read(folder.resolve("err.txt")))
                    .isTrue();
            new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                    .start()
                    .waitFor();
            assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static boolean ignoresInterrupts() throws IOException {
        String mask = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .findFirst()
                .orElseThrow();
        return (Long.parseUnsignedLong(mask.substring(mask.indexOf(':') + 1).strip(), 16) & 1L << 1) != 0;
    }

    private static String launcher() {
        return HOME.resolve("jobs/bin/gptq").toString();
    }

    private Result run(Map<String, String> environment, String... command) throws IOException, InterruptedException {
        Process process = start(environment, command);
        boolean ended = process.waitFor(2, TimeUnit.MINUTES);
        process.destroyForcibly();
        assertThat(ended).isTrue();
        return new Result(
                process.exitValue(),
                Files.readString(folder.resolve("out.txt")),
                Files.readString(folder.resolve("err.txt")));
    }

    private Process start(Map<String, String> environment, String... command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(folder.resolve("out.txt").toFile())
                .redirectError(folder.resolve("err.txt").toFile());
        builder.environment().putAll(environment);
        return builder.start();
    }

    private record Result(int status, String out, String err) {}
}
