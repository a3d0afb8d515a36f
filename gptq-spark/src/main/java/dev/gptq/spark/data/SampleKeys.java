package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import scala.Tuple2;

/** Keys encoded samples; leaves out those that a limit cannot take. */
record SampleKeys(long seed, long cutoff) implements Serializable {
    /** Whether a sample with this id (null: not known yet) may be within the limit. */
    boolean wants(String id) {
        return id == null || OrderKey.hashOfId(seed, id) <= cutoff;
    }

    /** The keyed sample, or null when it is beyond the limit. */
    Tuple2<OrderKey, byte[]> key(String id, byte[] record) {
        OrderKey key = OrderKey.of(seed, id, record);
        return key.hash() <= cutoff ? new Tuple2<>(key, record) : null;
    }

    /**
     * A failure that travels through the shuffle like a sample: an exception there would be tried again four times
     * although the data stays what it is.
     */
    static Tuple2<OrderKey, byte[]> failure(GptqException failure) {
        return new Tuple2<>(OrderKey.failure(), failure.getMessage().getBytes(StandardCharsets.UTF_8));
    }
}
