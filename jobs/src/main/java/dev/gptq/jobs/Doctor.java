package dev.gptq.jobs;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.spark.run.ClusterCheck;
import dev.gptq.spark.run.ClusterCheck.Machine;
import dev.gptq.spark.task.ComputeDevices;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * What {@code gptq doctor} looks at. Apart from the command, whose methods are read on start-up of commands that run without
 * Spark on the class path.
 */
final class Doctor {
    private static final long MEGABYTE = 1 << 20;

    private final PrintWriter out;
    private final String path;
    private final String device;
    private ErrorCode first;

    /**
     * @param path where a run directory would be
     * @param device as the configuration's key
     */
    Doctor(PrintWriter out, String path, String device) {
        this.out = out;
        this.path = path;
        this.device = device;
    }

    /** Prints a line per subject; returns the code of the first that is wrong, or null. */
    ErrorCode examine() {
        check("Java", () -> "%s, %s, %d MB heap"
                .formatted(
                        System.getProperty("java.version"),
                        System.getProperty("os.arch"),
                        Runtime.getRuntime().maxMemory() / MEGABYTE));
        check("Libraries", () -> libraries(driver()));
        SparkSession[] session = new SparkSession[1];
        check("Spark", () -> {
            session[0] = SparkJob.session();
            return "%s on %s, %d slots"
                    .formatted(
                            session[0].version(),
                            session[0].sparkContext().master(),
                            session[0].sparkContext().defaultParallelism());
        });
        if (session[0] != null) {
            try {
                checkCluster(JavaSparkContext.fromSparkContext(session[0].sparkContext()));
            } finally {
                session[0].stop();
            }
        }
        return first;
    }

    private void checkCluster(JavaSparkContext spark) {
        check("Executors", () -> executors(ClusterCheck.machines(spark)));
        check("Device", () -> {
            ComputeDevices devices = ComputeDevices.of(spark, device, 1);
            devices.check(spark);
            return devices.kind() + ": " + devices.reason();
        });
        check("Directory", () -> {
            ClusterCheck.requireShared(spark, path);
            return path + ": driver and executors write to the same place";
        });
    }

    private static Machine driver() {
        try {
            return ClusterCheck.here();
        } catch (LinkageError e) {
            throw new GptqException(
                    ErrorCode.CLUSTER,
                    "Cannot load PyTorch or ONNX Runtime here: " + e.getMessage()
                            + ". Check that the jar was built for this platform.",
                    e);
        }
    }

    private static String libraries(Machine machine) {
        return "PyTorch %s, ONNX Runtime %s, %s, convolutions %s"
                .formatted(machine.pytorch(), machine.onnxRuntime(), machine.instructions(), machine.convolutions());
    }

    private String executors(List<Machine> machines) {
        requireEqual(machines, "Java's major version", machine -> machine.java().split("\\.")[0]);
        requireEqual(machines, "PyTorch", Machine::pytorch);
        requireEqual(machines, "ONNX Runtime", Machine::onnxRuntime);
        if (System.getenv("ATEN_CPU_CAPABILITY") == null) {
            requireEqual(machines, "the instruction set", Machine::instructions);
        }
        requireEqual(machines, "the channels of convolutions", Machine::convolutions);
        long hosts = machines.stream().map(Machine::host).distinct().count();
        return "%d on %d hosts, all alike".formatted(machines.size(), hosts);
    }

    private static void requireEqual(List<Machine> machines, String what, Function<Machine, String> value) {
        Set<String> values = machines.stream().map(value).collect(Collectors.toCollection(TreeSet::new));
        if (values.size() > 1) {
            throw new GptqException(
                    ErrorCode.CLUSTER,
                    "Cannot promise equal bits on this cluster: %s differs between machines (%s). Make them alike; for"
                                    .formatted(what, String.join(", ", values))
                            + " instruction sets, set spark.executorEnv.ATEN_CPU_CAPABILITY and ONEDNN_MAX_CPU_ISA to the"
                            + " smallest.");
        }
    }

    private void check(String subject, Supplier<String> look) {
        String result;
        String text;
        try {
            text = look.get();
            result = "ok";
        } catch (GptqException e) {
            first = first == null ? e.code() : first;
            text = FailureReport.oneLine(e.getMessage());
            result = "FAIL";
        }
        out.printf(Locale.ROOT, "%-5s %-10s %s%n", result, subject, text);
        out.flush();
    }
}
