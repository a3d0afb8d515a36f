package dev.gptq.jobs;

import com.sun.management.OperatingSystemMXBean;
import dev.gptq.config.RunConfigReader;
import dev.gptq.jobs.Launcher.Result;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** jobs/bin/gptq with the packaged jar. */
@DisabledOnOs(OS.WINDOWS)
class LauncherIT {
    @TempDir
    private Path folder;

    @Test
    void printDefaultsWorksThroughALinkFromAnotherDirectory() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("gptq"), Launcher.HOME.resolve("jobs/bin/gptq"));

        Result result = run(Map.of(), link.toString(), "config", "--print-defaults");

        assertThat(result.status()).isZero();
        assertThat(result.out()).isEqualTo(RunConfigReader.defaultsAsYaml());
    }

    @Test
    void theStatusOfAFailureUnderSparkSubmitReachesTheShell() throws Exception {
        Result result = run(Map.of("SPARK_HOME", ""), Launcher.PATH, "quantize", "absent.yaml", "--master", "local[1]");

        assertThat(result.err())
                .isEqualTo("gptq: Cannot read configuration absent.yaml: there is no such file. "
                        + "Create one with 'gptq config --print-defaults'.\n");
        assertThat(result.status()).isEqualTo(3);
    }

    @Test
    void sparkSubmitOptionsReachSparkSubmitWhereverTheyStand() throws Exception {
        Result result = run(
                Map.of("SPARK_HOME", echoingSparkHome()),
                Launcher.PATH,
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
        Result result = run(
                Map.of("SPARK_HOME", echoingSparkHome()), Launcher.PATH, "quantize", "run.yaml", "--master", master);
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
        Result result = run(Map.of(), Launcher.PATH, "quantize", "run.yaml", "--conf", "spark.master=mesos://host");

        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err())
                .startsWith("gptq: Cannot use --master mesos://host")
                .hasLineCount(1);
    }

    @Test
    void aFailureToStartSparkIsOneLineWithTheStatusOfTheCluster() throws Exception {
        Result result = run(
                Map.of("SPARK_HOME", ""),
                Launcher.PATH,
                "quantize",
                Launcher.HOME.resolve("conf/quickstart.yaml").toString(),
                "--master",
                "local[few]");

        assertThat(result.err())
                .startsWith("gptq: Cannot start Spark on master local[few]")
                .hasLineCount(1);
        assertThat(result.status()).isEqualTo(6);
    }

    /** At once, because each waits for its JVM most of the time. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void inspectDoctorAndADryRunSayWhatTheyFoundAndLeaveNothing() throws Exception {
        Path home = Launcher.HOME;
        String model = home.resolve("conf/quickstart/m1_bn.onnx").toString();
        Launcher inspect = Launcher.start(folder, "inspect", model);
        Launcher doctor = Launcher.start(folder, "doctor", "--path", "runs");
        Launcher plan = Launcher.start(
                folder,
                "quantize",
                "--dry-run",
                home.resolve("conf/quickstart.yaml").toString(),
                "--set",
                "model=" + model,
                "--set",
                "data.calibration.path=" + home.resolve("conf/quickstart/calibration.parquet"),
                "--set",
                "data.evaluation=null",
                "--set",
                "output.path=runs/m1");

        Result inspected = inspect.await();
        assertThat(inspected.status()).as(inspected.err()).isZero();
        assertThat(inspected.out())
                .contains("Input       input float32 ?x1x28x28", "Conv 4", "16x1x3x3", "Quantized   about ")
                .contains("MB outside the heap");
        Result examined = doctor.await();
        assertThat(examined.status()).as(examined.out()).isZero();
        assertThat(examined.out().lines())
                .extracting(line -> line.split(" +")[1])
                .containsExactly("Java", "Libraries", "Spark", "Executors", "Device", "Directory");
        assertThat(examined.out()).contains("on local[2], 2 slots", "PyTorch 2.");
        Result planned = plan.await();
        assertThat(planned.status()).as(planned.err()).isZero();
        assertThat(planned.out())
                .contains("5 layers to quantize", "1024 samples", "runs/m1, new", "960 steps of 32 samples in 4 lanes")
                .contains("Time           about ", "nothing was written");
        assertThat(folder.resolve("runs")).doesNotExist();
        assertThat(inspected.err() + examined.err() + planned.err()).isEmpty();
    }

    @Test
    void anOldJavaIsNamed() throws Exception {
        Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n");
        assertThat(java.toFile().setExecutable(true)).isTrue();

        Result result = run(Map.of("JAVA_HOME", folder.resolve("jdk").toString()), Launcher.PATH, "--version");

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err())
                .isEqualTo("gptq: Cannot use " + java + ": it is version 1.8.0_402. "
                        + "Set JAVA_HOME to a JDK 17 or newer.\n");
    }

    private Result run(Map<String, String> environment, String... command) throws IOException, InterruptedException {
        return Launcher.start(folder, environment, List.of(command)).await();
    }
}
