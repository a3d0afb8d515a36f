package dev.gptq.spark.cluster;

import dev.gptq.spark.cluster.ClusterDriver.Fault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.TaskContext;

/**
 * Faults that executors inflict on themselves. The driver arms one by a file; the first executor that reaches the place
 * removes the file, so that a fault strikes once, and leaves a file behind that says so.
 */
final class Faults {
    /** System property of executors: the folder of these files. */
    static final String FOLDER = "gptq.test.faults";

    private static final int STATUS_OF_SIGKILL = 137;
    private static final int STOPPED_SECONDS = 3;
    private static final int LATE_SECONDS = 8;

    private Faults() {}

    static void arm(Path folder, Fault fault, int stage) {
        try {
            Path file = folder.resolve(fault.name());
            Files.deleteIfExists(struck(folder, fault));
            // Executors must not see it half written.
            Files.writeString(folder.resolve(".arming"), String.valueOf(stage));
            Files.move(folder.resolve(".arming"), file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Path struck(Path folder, Fault fault) {
        return folder.resolve(fault.name() + ".struck");
    }

    /** In the middle of a lane: the student has run, its arrays and the graph of its gradient are alive. */
    static void inLane() {
        if (strikes(Fault.KILLED_IN_LANE)) {
            Runtime.getRuntime().halt(STATUS_OF_SIGKILL);
        }
        if (strikes(Fault.LOST_IN_LANE)) {
            ProcessHandle.current().parent().ifPresent(ProcessHandle::destroyForcibly);
            Runtime.getRuntime().halt(STATUS_OF_SIGKILL);
        }
        if (strikes(Fault.STOPPED_IN_LANE)) {
            stopThisProcess(STOPPED_SECONDS);
        }
        if (strikes(Fault.LATE_IN_LANE)) {
            stopThisProcess(LATE_SECONDS);
        }
        if (strikes(Fault.FAILED_IN_LANE)) {
            throw new IllegalStateException("injected into a lane");
        }
    }

    /** Before the running task does anything. */
    static void atTaskStart() {
        if (strikes(Fault.KILLED_BEFORE_FOLD)) {
            Runtime.getRuntime().halt(STATUS_OF_SIGKILL);
        }
    }

    private static boolean strikes(Fault fault) {
        String folder = System.getProperty(FOLDER);
        if (folder == null) {
            return false;
        }
        Path file = Path.of(folder).resolve(fault.name());
        try {
            if (!Files.exists(file)) {
                return false;
            }
            int stage = Integer.parseInt(Files.readString(file));
            if (stage >= 0 && TaskContext.get().stageId() != stage || !Files.deleteIfExists(file)) {
                return false;
            }
            Files.createFile(struck(Path.of(folder), fault));
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void stopThisProcess(int seconds) {
        long pid = ProcessHandle.current().pid();
        String script = "kill -STOP %d; sleep %d; kill -CONT %d".formatted(pid, seconds, pid);
        try {
            new ProcessBuilder("sh", "-c", script).start();
            // The signal comes before this is over.
            Thread.sleep(1000);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            // Another attempt was faster: this one is being killed.
            Thread.currentThread().interrupt();
        }
    }
}
