package dev.gptq.spark.data;

import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Place of a sample in the canonical order: by a 63-bit hash of (seed, sample id), then the id, then a hash of the content
 * (which decides between samples that share an id). Nothing here depends on files or partitions.
 */
public final class OrderKey implements Comparable<OrderKey>, Externalizable {
    /** Largest possible hash. */
    static final long MAX_HASH = Long.MAX_VALUE;

    private static final long BAD_ROW_HASH = -1;
    private static final long FAILURE_HASH = -2;

    private long hash;
    private String id;
    private long contentHash;

    /** For deserialization. */
    public OrderKey() {}

    private OrderKey(long hash, String id, long contentHash) {
        this.hash = hash;
        this.id = id;
        this.contentHash = contentHash;
    }

    /** The key of a sample; {@code id} null: the id is the content's hash. */
    static OrderKey of(long seed, String id, byte[] record) {
        long contentHash = hash(0, record);
        String sampleId = id == null ? Long.toHexString(contentHash) : id;
        return new OrderKey(hashOfId(seed, sampleId), sampleId, contentHash);
    }

    /** Sorts before every sample; its record is the message of a failure. */
    static OrderKey failure() {
        return new OrderKey(FAILURE_HASH, "", 0);
    }

    /** Sorts before every sample and after failures, by file and row; its record is a {@link BadRow}. */
    static OrderKey badRow(String file, long row) {
        return new OrderKey(BAD_ROW_HASH, file, row);
    }

    static long hashOfId(long seed, String id) {
        return hash(seed, id.getBytes(StandardCharsets.UTF_8)) >>> 1;
    }

    long hash() {
        return hash;
    }

    boolean isFailure() {
        return hash == FAILURE_HASH;
    }

    boolean isBadRow() {
        return hash == BAD_ROW_HASH;
    }

    /** SplitMix64's finalizer chained over little-endian words. */
    private static long hash(long seed, byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long state = mix(seed ^ bytes.length);
        while (buffer.remaining() >= Long.BYTES) {
            state = mix(state ^ buffer.getLong());
        }
        long tail = 0;
        while (buffer.hasRemaining()) {
            tail = tail << Byte.SIZE | Byte.toUnsignedLong(buffer.get());
        }
        return mix(state ^ tail);
    }

    private static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }

    @Override
    public int compareTo(OrderKey other) {
        int order = Long.compare(hash, other.hash);
        if (order == 0) {
            order = id.compareTo(other.id);
        }
        return order == 0 ? Long.compare(contentHash, other.contentHash) : order;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof OrderKey key && compareTo(key) == 0;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(hash);
    }

    @Override
    public void writeExternal(ObjectOutput out) throws IOException {
        out.writeLong(hash);
        out.writeUTF(id);
        out.writeLong(contentHash);
    }

    @Override
    public void readExternal(ObjectInput in) throws IOException {
        hash = in.readLong();
        id = in.readUTF();
        contentHash = in.readLong();
    }
}
