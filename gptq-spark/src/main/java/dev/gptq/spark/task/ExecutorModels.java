package dev.gptq.spark.task;

import ai.djl.Device;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import dev.gptq.spark.data.NumberStore;
import dev.gptq.spark.data.SampleStore;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What the tasks of one JVM share for the length of a run: models on their device, readers of sample stores, recent
 * micro-batches. The project's only static mutable state. A task holds a {@link Lease} while it works; a run's resources
 * are closed when another run's first task comes, or the driver releases the run, and the last lease has ended.
 */
public final class ExecutorModels {
    /** Share of the heap that recent micro-batches may take. */
    private static final int CACHE_SHARE = 8;

    private static ExecutorModels current;

    private final SharedModel shared;
    private final Map<String, Object> resources = new HashMap<>();
    private final Deque<AutoCloseable> closing = new ArrayDeque<>();
    private final SampleCache cache = new SampleCache(Runtime.getRuntime().maxMemory() / CACHE_SHARE);
    private int leases;
    private boolean retired;

    private ExecutorModels(SharedModel shared) {
        this.shared = shared;
    }

    /** Joins the run in this JVM; the caller closes the lease when its task is done. */
    public static Lease lease(SharedModel shared) {
        synchronized (ExecutorModels.class) {
            if (current == null || !current.shared.runId().equals(shared.runId())) {
                if (current != null) {
                    current.retire();
                }
                current = new ExecutorModels(shared);
            }
            return current.newLease();
        }
    }

    /** Closes what this JVM holds for a run, once its tasks are done. */
    public static void release(String runId) {
        synchronized (ExecutorModels.class) {
            if (current != null && current.shared.runId().equals(runId)) {
                current.retire();
                current = null;
            }
        }
    }

    private synchronized Lease newLease() {
        leases++;
        return new Lease();
    }

    private synchronized void retire() {
        retired = true;
        closeWhenUnused();
    }

    private synchronized void endLease() {
        leases--;
        closeWhenUnused();
    }

    private void closeWhenUnused() {
        if (!retired || leases > 0) {
            return;
        }
        while (!closing.isEmpty()) {
            try {
                closing.pop().close();
            } catch (Exception e) {
                throw new IllegalStateException("Cannot release a model.", e);
            }
        }
        resources.clear();
    }

    private synchronized <T> T resource(String name, Class<T> type, Supplier<T> create) {
        Object resource = resources.get(name);
        if (resource == null) {
            resource = create.get();
            resources.put(name, resource);
            if (resource instanceof AutoCloseable closeable) {
                closing.push(closeable);
            }
        }
        return type.cast(resource);
    }

    /** A task's access to the shared resources. */
    public final class Lease implements AutoCloseable {
        private Lease() {}

        /** The prepared float model on this task's device. */
        public GraphExecutor floatModel() {
            Device device = shared.devices().ofTask();
            return get("float", GraphExecutor.class, () -> new GraphExecutor(shared.prepared(), device));
        }

        /** The prepared float model on the CPU, whatever the task's device. */
        public GraphExecutor floatModelOnCpu() {
            return resource(
                    "float@" + Device.cpu(),
                    GraphExecutor.class,
                    () -> new GraphExecutor(shared.prepared(), Device.cpu()));
        }

        /** The resource of this name on this task's device, created by the first task that asks. */
        public <T> T get(String name, Class<T> type, Supplier<T> create) {
            return resource(name + "@" + shared.devices().ofTask(), type, create);
        }

        /** The resource of this name whatever the task's device, created by the first task that asks. */
        public <T> T shared(String name, Class<T> type, Supplier<T> create) {
            return resource(name, type, create);
        }

        /** Samples [first, first + size) of the store in {@code folder}. */
        public SampleBatch read(String folder, long first, int size) {
            return resource(
                            "store " + folder,
                            SampleStore.class,
                            () -> SampleStore.open(folder, shared.hadoop().value()))
                    .read(first, size);
        }

        /** The table of numbers in {@code folder}. */
        public NumberStore numbers(String folder) {
            return resource(
                    "numbers " + folder,
                    NumberStore.class,
                    () -> NumberStore.open(folder, shared.hadoop().value()));
        }

        /** As {@link #read}, from memory when the range was used recently. */
        public SampleBatch readCached(String folder, long first, int size) {
            SampleCache.Key key = new SampleCache.Key(folder, first, size);
            SampleBatch batch = cache.get(key);
            if (batch == null) {
                batch = read(folder, first, size);
                cache.put(key, batch);
            }
            return batch;
        }

        @Override
        public void close() {
            endLease();
        }
    }
}
