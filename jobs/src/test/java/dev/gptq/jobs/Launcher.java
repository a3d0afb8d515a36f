package dev.gptq.jobs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/** A process of jobs/bin/gptq; what it writes lies in files. */
record Launcher(Process process, Path out, Path err) {
    static final Path HOME =
            Path.of(System.getProperty("gptq.home")).toAbsolutePath().normalize();
    static final String PATH = HOME.resolve("jobs/bin/gptq").toString();

    /** What starts a JVM of a few seconds fastest. */
    private static final List<String> SHORT_LIVED = List.of(
            "--conf", "spark.ui.enabled=false", "--driver-java-options", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");

    private static final long MINUTES = 2;

    /** A process that has ended. */
    record Result(int status, String out, String err) {}

    /** Starts any command in a folder, where its output goes, too. */
    static Launcher start(Path folder, Map<String, String> environment, List<String> command) throws IOException {
        Path out = Files.createTempFile(folder, "out", ".txt");
        Path err = Files.createTempFile(folder, "err", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().putAll(environment);
        return new Launcher(builder.start(), out, err);
    }

    /** Starts gptq in a folder with Spark's Maven jars and two tasks at once. */
    static Launcher start(Path folder, String... arguments) throws IOException {
        // A shell's background jobs ignore Ctrl-C, and so would this one if the tests are part of such a job.
        List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT,TERM", PATH));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--master", "local[2]"));
        command.addAll(SHORT_LIVED);
        return start(folder, Map.of("SPARK_HOME", ""), command);
    }

    /** Sends a signal: "INT" is Ctrl-C. */
    void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                .start()
                .waitFor();
    }

    Result await() throws IOException, InterruptedException {
        boolean ended = process.waitFor(MINUTES, TimeUnit.MINUTES);
        process.destroyForcibly();
        assertThat(ended).as("ended").isTrue();
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
    }
}
