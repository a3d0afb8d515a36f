package dev.gptq.spark.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.spark.data.RunFiles;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a second process out of a run directory: a file that names its holder and is written again every few seconds. A
 * lock is stale when its process is gone from this host, or when it was not written for a minute. A holder that slept so
 * long finds that another one has taken the lock, and changes nothing more.
 */
final class RunLock implements AutoCloseable {
    static final String FILE_NAME = "LOCK";

    private static final long HEARTBEAT_SECONDS = 10;
    private static final long STALE_MILLIS = 60_000;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Logger LOG = LoggerFactory.getLogger(RunLock.class);

    private final RunFiles files;
    private final Holder holder;
    private final ScheduledExecutorService heartbeat;

    private RunLock(RunFiles files, Holder holder) {
        this.files = files;
        this.holder = holder;
        this.heartbeat = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "gptq-run-lock");
            thread.setDaemon(true);
            return thread;
        });
        heartbeat.scheduleWithFixedDelay(this::beat, HEARTBEAT_SECONDS, HEARTBEAT_SECONDS, TimeUnit.SECONDS);
    }

    /**
     * A process; {@code startedAt} tells it from a later one with the same number.
     *
     * @param space in which its number counts: containers may have one host name and not see each other's processes
     */
    record Holder(String host, String space, long pid, String startedAt) {
        static Holder current() {
            ProcessHandle process = ProcessHandle.current();
            return new Holder(hostName(), processSpace(), process.pid(), startOf(process));
        }

        boolean isGoneFromThisHost() {
            return host.equals(hostName())
                    && processSpace().equals(space)
                    && ProcessHandle.of(pid)
                            .filter(process -> startOf(process).equals(startedAt))
                            .isEmpty();
        }

        private static String startOf(ProcessHandle process) {
            return process.info().startInstant().map(Instant::toString).orElse("unknown");
        }

        private static String hostName() {
            try {
                return InetAddress.getLocalHost().getHostName();
            } catch (UnknownHostException e) {
                return "unknown";
            }
        }

        private static String processSpace() {
            try {
                return Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
            } catch (IOException | UnsupportedOperationException e) {
                return "the host";
            }
        }
    }

    /** Takes the lock; IO when another process holds it. */
    static RunLock acquire(RunFiles files) {
        Holder holder = Holder.current();
        if (!files.createNew(FILE_NAME, json(holder))) {
            refuseUnlessStale(files);
            files.overwrite(FILE_NAME, json(holder));
        }
        return new RunLock(files, holder);
    }

    /** IO when another process holds the lock now. */
    static void requireFree(RunFiles files) {
        if (files.exists(FILE_NAME)) {
            refuseUnlessStale(files);
        }
    }

    private static void refuseUnlessStale(RunFiles files) {
        boolean old = System.currentTimeMillis() - files.writtenAt(FILE_NAME) > STALE_MILLIS;
        Holder found = read(files);
        // What cannot be read is being written this moment, or was cut off by a crash; its age decides.
        Holder other = found == null ? new Holder("unknown", "unknown", 0, "unknown") : found;
        if (!old && !other.isGoneFromThisHost()) {
            throw new GptqException(
                    ErrorCode.IO,
                    "Cannot use run directory '" + files.root() + "': process " + other.pid() + " on host '"
                            + other.host() + "' is using it. Wait until it has ended, or choose another output.path.");
        }
    }

    /** Fails when another process has taken the lock over. */
    void requireHeld() {
        Holder current = read(files);
        if (current != null && !current.equals(holder)) {
            throw new GptqException(
                    ErrorCode.IO,
                    "Cannot go on in run directory '" + files.root() + "': process " + current.pid() + " on host '"
                            + current.host()
                            + "' has taken it over, because this one did not answer for a minute. Leave it"
                            + " to that one.");
        }
    }

    private void beat() {
        try {
            requireHeld();
            files.overwrite(FILE_NAME, json(holder));
        } catch (GptqException e) {
            // The next beat may succeed; what the run itself cannot write ends it with a message.
            LOG.debug(e.getMessage());
        }
    }

    /** Null when it is gone, or cannot be read this moment. */
    private static Holder read(RunFiles files) {
        try {
            return files.exists(FILE_NAME) ? JSON.readValue(files.read(FILE_NAME), Holder.class) : null;
        } catch (IOException e) {
            return null;
        }
    }

    private static byte[] json(Holder holder) {
        try {
            return JSON.writeValueAsBytes(holder);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        heartbeat.shutdown();
        try {
            heartbeat.awaitTermination(HEARTBEAT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Holder current = read(files);
        if (current == null || current.equals(holder)) {
            files.delete(FILE_NAME);
        }
    }
}
