package dev.gptq.spark.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.spark.data.RunFiles;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a second process out of a run directory: a file that names its holder and is written again every few seconds. A
 * lock is stale when its process is gone from this host, or when it was not written for a minute.
 */
final class RunLock implements AutoCloseable {
    static final String FILE_NAME = "LOCK";

    private static final long HEARTBEAT_SECONDS = 10;
    private static final long STALE_MILLIS = 60_000;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Logger LOG = LoggerFactory.getLogger(RunLock.class);

    private final RunFiles files;
    private final ScheduledExecutorService heartbeat;

    private RunLock(RunFiles files, Holder holder) {
        this.files = files;
        this.heartbeat = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "gptq-run-lock");
            thread.setDaemon(true);
            return thread;
        });
        heartbeat.scheduleWithFixedDelay(() -> beat(holder), HEARTBEAT_SECONDS, HEARTBEAT_SECONDS, TimeUnit.SECONDS);
    }

    /** A process; {@code startedAt} tells it from a later one with the same number. */
    record Holder(String host, long pid, String startedAt) {
        static Holder current() {
            ProcessHandle process = ProcessHandle.current();
            return new Holder(hostName(), process.pid(), startOf(process));
        }

        boolean isGoneFromThisHost() {
            return host.equals(hostName())
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

    private static void refuseUnlessStale(RunFiles files) {
        boolean old = System.currentTimeMillis() - files.writtenAt(FILE_NAME) > STALE_MILLIS;
        Holder other;
        try {
            other = JSON.readValue(files.read(FILE_NAME), Holder.class);
        } catch (IOException e) {
            // Being written this moment, or cut off by a crash; its age decides.
            other = new Holder("unknown", 0, "unknown");
        }
        if (!old && !other.isGoneFromThisHost()) {
            throw new GptqException(
                    ErrorCode.IO,
                    "Cannot use run directory '" + files.root() + "': process " + other.pid() + " on host '"
                            + other.host() + "' is using it. Wait until it has ended, or choose another output.path.");
        }
    }

    private void beat(Holder holder) {
        try {
            files.overwrite(FILE_NAME, json(holder));
        } catch (GptqException e) {
            // The next beat may succeed; what the run itself cannot write ends it with a message.
            LOG.debug(e.getMessage());
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
        files.delete(FILE_NAME);
    }
}
