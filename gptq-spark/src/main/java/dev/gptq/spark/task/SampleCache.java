package dev.gptq.spark.task;

import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import java.util.LinkedHashMap;
import java.util.Map;

/** The micro-batches a JVM has used last, up to a number of bytes. */
final class SampleCache {
    private final long capacity;
    private final Map<Key, SampleBatch> batches = new LinkedHashMap<>(16, 0.75f, true);
    private long bytes;

    SampleCache(long capacity) {
        this.capacity = capacity;
    }

    /** A range of samples of a store. */
    record Key(String store, long first, int size) {}

    synchronized SampleBatch get(Key key) {
        return batches.get(key);
    }

    synchronized void put(Key key, SampleBatch batch) {
        long size = bytes(batch);
        if (size > capacity || batches.put(key, batch) != null) {
            return;
        }
        bytes += size;
        var oldest = batches.values().iterator();
        while (bytes > capacity) {
            bytes -= bytes(oldest.next());
            oldest.remove();
        }
    }

    private static long bytes(SampleBatch batch) {
        return batch.inputs().values().stream().mapToLong(TensorData::size).sum() * Float.BYTES;
    }
}
