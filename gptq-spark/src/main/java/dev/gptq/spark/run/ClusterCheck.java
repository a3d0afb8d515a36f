package dev.gptq.spark.run;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.onnxruntime.OrtEnvironment;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.engine.Engines;
import dev.gptq.spark.data.Outcome;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.data.SparkFailures;
import java.io.IOException;
import java.io.Serializable;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** Looks at the JVMs of a cluster as a run would use them. */
public final class ClusterCheck {
    /** Long enough for the tasks of one wave to go to all slots. */
    private static final long TASK_MILLIS = 200;

    private ClusterCheck() {}

    /**
     * A JVM that runs tasks.
     *
     * @param instructions the widest instruction set of the machine, which results depend on unless it is levelled
     * @param convolutions whether their channels are widened to whole blocks, which results depend on, too
     * @param onnxRuntime version; PyTorch's likewise, after both have been loaded
     */
    public record Machine(
            String executor,
            String host,
            String java,
            String pytorch,
            String onnxRuntime,
            String instructions,
            String convolutions)
            implements Serializable {}

    /** This JVM. */
    public static Machine here() {
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            scope.create(1f).add(1).toFloatArray();
        }
        SparkEnv env = SparkEnv.get();
        return new Machine(
                env == null ? "none" : env.executorId(),
                hostName(),
                System.getProperty("java.version"),
                Engines.version(),
                OrtEnvironment.getEnvironment().getVersion(),
                instructions(),
                Engines.widensConvolutions() ? "in whole blocks" : "as they are");
    }

    /**
     * The machines that tasks reach, each once.
     *
     * @throws GptqException CLUSTER when there are none, or when they cannot load the native libraries
     */
    public static List<Machine> machines(JavaSparkContext spark) {
        int tasks = 2 * spark.defaultParallelism();
        try {
            Map<String, Machine> machines = new TreeMap<>();
            for (Outcome<Machine> outcome :
                    spark.parallelize(numbers(tasks), tasks).map(new Look()).collect()) {
                machines.putIfAbsent(outcome.get().executor(), outcome.get());
            }
            return List.copyOf(machines.values());
        } catch (Exception e) {
            throw SparkFailures.translate(e, "run tasks on the cluster", "See the executors' logs.");
        }
    }

    /**
     * Writes a file from every task into a folder of its own under {@code directory}, and looks for all of them from here.
     *
     * @throws GptqException IO when it cannot be written, CLUSTER when executors write to another place than the driver sees
     */
    public static void requireShared(JavaSparkContext spark, String directory) {
        RunFiles root = RunFiles.of(directory, spark.hadoopConfiguration());
        boolean created = root.create();
        String folder = ".gptq-doctor-" + UUID.randomUUID();
        int tasks = 2 * spark.defaultParallelism();
        Broadcast<SerializableConfiguration> hadoop =
                spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        try {
            root.writeText(folder + "/driver", "");
            spark.parallelize(numbers(tasks), tasks)
                    .map(new WriteFile(root.path(folder), hadoop))
                    .collect()
                    .forEach(Outcome::get);
            int missing = tasks + 1 - root.list(folder).size();
            if (missing > 0) {
                throw new GptqException(
                        ErrorCode.CLUSTER,
                        "Cannot use run directory '%s': of %d files that tasks wrote there, the driver does not see %d. Use a"
                                        .formatted(root.root(), tasks, missing)
                                + " file system that all machines share, such as hdfs:// or s3a://.");
            }
        } catch (GptqException e) {
            throw e;
        } catch (Exception e) {
            throw SparkFailures.translate(e, "write to '" + root.root() + "' from tasks", "Check access rights.");
        } finally {
            hadoop.destroy();
            root.delete(folder);
            if (created) {
                root.deleteIfEmpty();
            }
        }
    }

    private static List<Integer> numbers(int count) {
        return new ArrayList<>(IntStream.range(0, count).boxed().toList());
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (IOException e) {
            return "unknown";
        }
    }

    /** As far as Linux tells. */
    private static String instructions() {
        try {
            String processor = Files.readString(Path.of("/proc/cpuinfo"));
            return processor.contains(" avx512f") ? "AVX-512" : processor.contains(" avx2") ? "AVX2" : "basic";
        } catch (IOException e) {
            return System.getProperty("os.arch");
        }
    }

    private static final class Look implements Function<Integer, Outcome<Machine>> {
        @Override
        public Outcome<Machine> call(Integer task) throws InterruptedException {
            Thread.sleep(TASK_MILLIS);
            return Outcome.of(() -> {
                try {
                    return here();
                } catch (LinkageError e) {
                    throw new GptqException(
                            ErrorCode.CLUSTER,
                            "Cannot load PyTorch or ONNX Runtime on host '%s': %s. Check that the machine is of the platform"
                                            .formatted(hostName(), e.getMessage())
                                    + " the jar was built for.",
                            e);
                }
            });
        }
    }

    private record WriteFile(String folder, Broadcast<SerializableConfiguration> hadoop)
            implements Function<Integer, Outcome<Integer>> {
        @Override
        public Outcome<Integer> call(Integer task) throws InterruptedException {
            Thread.sleep(TASK_MILLIS);
            return Outcome.of(() -> {
                RunFiles.of(folder, hadoop.value().value()).writeText("task-" + task, "");
                return task;
            });
        }
    }
}
