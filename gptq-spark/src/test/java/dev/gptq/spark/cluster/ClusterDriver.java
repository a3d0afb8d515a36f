package dev.gptq.spark.cluster;

import ai.djl.Device;
import dev.gptq.GptqException;
import dev.gptq.spark.run.GptqPipeline;
import dev.gptq.spark.run.ProgressListener;
import dev.gptq.spark.task.ComputeDevices;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.SparkSession;

/**
 * The driver of an application, in a JVM of its own: does what the lines of its standard input say ({@link ClusterRun}, or
 * "devices SHARE") and appends what happens to a file of events.
 */
final class ClusterDriver {
    /** What may happen to an executor. */
    enum Fault {
        KILLED_IN_LANE,
        /** With the worker that would start another one. */
        LOST_IN_LANE,
        STOPPED_IN_LANE,
        /** For longer than the others wait. */
        LATE_IN_LANE,
        FAILED_IN_LANE,
        /** Between the two stages of a sliced fold: its gradients are lost. */
        KILLED_BEFORE_FOLD
    }

    private final SparkSession session;
    private final Path folder;
    private final Path faults;
    private final Events events = new Events();

    private ClusterDriver(SparkSession session, Path folder, Path faults) {
        this.session = session;
        this.folder = folder;
        this.faults = faults;
    }

    public static void main(String[] arguments) throws IOException {
        try (SparkSession session =
                SparkSession.builder().appName("cluster test").getOrCreate()) {
            ClusterDriver driver = new ClusterDriver(session, Path.of(arguments[0]), Path.of(arguments[1]));
            session.sparkContext().addSparkListener(driver.events);
            BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                if (line.startsWith("devices ")) {
                    driver.devices(Double.parseDouble(line.substring("devices ".length())));
                } else {
                    driver.run(ClusterRun.parse(line));
                }
            }
        }
    }

    private void run(ClusterRun run) {
        events.file = run.events(folder);
        waitForExecutors();
        write("executors " + executors());
        try {
            GptqPipeline.run(run.config(folder), session, new Recorder(run));
            waitForListeners();
            write("done");
        } catch (GptqException e) {
            write("failed " + e.code() + " " + e.getMessage());
        }
    }

    /** After a fault, another executor may still be on its way. */
    private void waitForExecutors() {
        int cores = session.sparkContext().conf().getInt("spark.cores.max", 1);
        int wanted = cores / session.sparkContext().conf().getInt("spark.executor.cores", 1);
        try {
            Waiting.until(wanted + " executors are there", () -> executors() >= wanted);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private int executors() {
        // The driver counts as one.
        return session.sparkContext().statusTracker().getExecutorInfos().length - 1;
    }

    /** Which devices tasks see with and without asking for them. */
    private void devices(double gpusPerTask) {
        events.file = folder.resolve("devices-" + gpusPerTask + ".events");
        JavaSparkContext spark = JavaSparkContext.fromSparkContext(session.sparkContext());
        ComputeDevices devices = ComputeDevices.of(spark, "gpu", gpusPerTask);
        List<ComputeDevices> tasks = List.of(devices, devices, devices, devices);
        devices.place(spark.parallelize(tasks, tasks.size()).map(new SeenDevice()))
                .collect()
                .forEach(device -> write("device " + device));
        spark.parallelize(tasks, tasks.size())
                .map(new AssignedResources())
                .collect()
                .forEach(resources -> write("unplaced " + resources));
        write("done");
    }

    private static final class SeenDevice implements Function<ComputeDevices, String> {
        @Override
        public String call(ComputeDevices devices) throws InterruptedException {
            Device device = devices.ofTask();
            // Long enough for all tasks of a wave to run at once.
            Thread.sleep(500);
            return device.toString();
        }
    }

    private static final class AssignedResources implements Function<ComputeDevices, String> {
        @Override
        public String call(ComputeDevices devices) {
            return TaskContext.get().resourcesJMap().keySet().toString();
        }
    }

    private void waitForListeners() {
        try {
            session.sparkContext().listenerBus().waitUntilEmpty();
        } catch (TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    private void write(String line) {
        events.write(line);
    }

    /** What Spark does. */
    private static final class Events extends SparkListener {
        private volatile Path file;
        private volatile int lastStage = -1;

        @Override
        public void onStageSubmitted(SparkListenerStageSubmitted stage) {
            lastStage = Math.max(lastStage, stage.stageInfo().stageId());
            if (stage.stageInfo().attemptNumber() > 0) {
                write("stage again");
            }
        }

        @Override
        public void onTaskStart(SparkListenerTaskStart task) {
            if (task.taskInfo().speculative()) {
                write("speculative task");
            }
        }

        @Override
        public void onTaskEnd(SparkListenerTaskEnd task) {
            if (task.taskInfo().failed()) {
                write("task failed");
            }
        }

        @Override
        public void onExecutorRemoved(SparkListenerExecutorRemoved executor) {
            write("executor removed");
        }

        synchronized void write(String line) {
            if (file == null) {
                return;
            }
            try {
                Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** What the pipeline does; arms the run's fault and pauses after the run's step. */
    private final class Recorder implements ProgressListener {
        private final ClusterRun run;

        Recorder(ClusterRun run) {
            this.run = run;
        }

        @Override
        public void stageStarted(String stage, long totalUnits) {}

        @Override
        public void advanced(String stageName, long doneUnits, String detail) {
            if (!stageName.equals("train")) {
                return;
            }
            write("step " + doneUnits);
            if (run.fault() != null && doneUnits == run.after()) {
                waitForListeners();
                // The next step's job has two stages when its gradients are folded in slices.
                int stage = run.fault() == Fault.KILLED_BEFORE_FOLD ? events.lastStage + 2 : -1;
                Faults.arm(faults, run.fault(), stage);
            } else if (run.fault() == null && doneUnits == run.after()) {
                pause();
            }
        }

        /** Forever: the test ends this process. */
        private void pause() {
            try {
                Thread.sleep(Long.MAX_VALUE);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void stageFinished(String stage, double seconds, String summary) {}

        @Override
        public void warning(String line) {
            write("warning " + line);
        }
    }
}
