package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import scala.Tuple2;

/**
 * Keys encoded samples; leaves out those that a limit cannot take.
 *
 * @param keepsBadRows whether rows that cannot be used are passed on; else the first one ends the run
 */
record SampleKeys(long seed, long cutoff, boolean keepsBadRows) implements Serializable {
    /** Whether a sample with this id (null: not known yet) may be within the limit. */
    boolean wants(String id) {
        return id == null || OrderKey.hashOfId(seed, id) <= cutoff;
    }

    /** The keyed sample, or null when it is beyond the limit. */
    Tuple2<OrderKey, byte[]> key(String id, byte[] record) {
        OrderKey key = OrderKey.of(seed, id, record);
        return key.hash() <= cutoff ? new Tuple2<>(key, record) : null;
    }

    /** A row that cannot be used, on its way to whoever counts it. */
    static Tuple2<OrderKey, byte[]> badRow(BadRow row) {
        return new Tuple2<>(OrderKey.badRow(row.file(), row.row()), row.toJson());
    }

    /**
     * A failure that travels through the shuffle like a sample: an exception there would be tried again four times
     * although the data stays what it is.
     */
    static Tuple2<OrderKey, byte[]> failure(GptqException failure) {
        return new Tuple2<>(OrderKey.failure(), failure.getMessage().getBytes(StandardCharsets.UTF_8));
    }
}
