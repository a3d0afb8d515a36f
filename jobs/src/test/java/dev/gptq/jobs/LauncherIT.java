package dev.gptq.jobs;

import com.sun.management.OperatingSystemMXBean;
import dev.gptq.config.RunConfigReader;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
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
        Result result = run(
                Map.of("SPARK_HOME", echoingSparkHome()),
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

    /** A cluster's driver needs little; a local one computes. */
    @Test
    void aLocalDriverGetsAQuarterOfTheMemoryAndOneOfAClusterTwoGigabytes() throws Exception {
        long quarter =
                ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize() / 4 >> 20;

        assertThat(driverMebibytes("local[2]")).isCloseTo(Math.max(2048, quarter), Percentage.withPercentage(2));
        assertThat(driverMebibytes("yarn")).isEqualTo(2048);
    }

    private long driverMebibytes(String master) throws Exception {
        Result result =
                run(Map.of("SPARK_HOME", echoingSparkHome()), launcher(), "quantize", "run.yaml", "--master", master);
        List<String> arguments = result.out().lines().toList();
        String memory = arguments.get(arguments.indexOf("--driver-memory") + 1);
        return Long.parseLong(memory.substring(0, memory.length() - 1));
    }

    /** A Spark whose spark-submit writes its arguments, one per line. */
    private String echoingSparkHome() throws IOException {
        Path sparkHome = folder.resolve("spark");
        Path submit = Files.createDirectories(sparkHome.resolve("bin")).resolve("spark-submit");
        Files.writeString(submit, "#!/bin/sh\nfor a in \"$@\"; do echo \"$a\"; done\n");
        assertThat(submit.toFile().setExecutable(true)).isTrue();
        return sparkHome.toString();
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

    private static String launcher() {
        return HOME.resolve("jobs/bin/gptq").toString();
    }

    private Result run(Map<String, String> environment, String... command) throws IOException, InterruptedException {
        File out = folder.resolve("out.txt").toFile();
        File err = folder.resolve("err.txt").toFile();
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(out)
                .redirectError(err);
        builder.environment().putAll(environment);
        Process process = builder.start();
        boolean ended = process.waitFor(2, TimeUnit.MINUTES);
        process.destroyForcibly();
        assertThat(ended).isTrue();
        return new Result(process.exitValue(), Files.readString(out.toPath()), Files.readString(err.toPath()));
    }

    private record Result(int status, String out, String err) {}
}
