package dev.gptq.spark.data;

import org.apache.spark.Partitioner;

/** Cuts [0, cutoff] into equal ranges of the key's hash: uniform without looking at the data first. */
final class KeyPartitioner extends Partitioner {
    private final int partitions;
    private final long cutoff;

    KeyPartitioner(int partitions, long cutoff) {
        this.partitions = partitions;
        this.cutoff = cutoff;
    }

    @Override
    public int numPartitions() {
        return partitions;
    }

    @Override
    public int getPartition(Object key) {
        // Division and multiplication by positive constants are monotone, also when rounded.
        double fraction = Math.max(0, ((OrderKey) key).hash()) / (cutoff + 1.0);
        return Math.min(partitions - 1, (int) (fraction * partitions));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof KeyPartitioner partitioner
                && partitioner.partitions == partitions
                && partitioner.cutoff == cutoff;
    }

    @Override
    public int hashCode() {
        return 31 * partitions + Long.hashCode(cutoff);
    }
}
