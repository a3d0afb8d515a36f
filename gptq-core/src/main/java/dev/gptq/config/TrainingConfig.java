package dev.gptq.config;

import java.io.Serializable;
import java.util.List;

/**
 * The data-parallel loop.
 *
 * @param batchSize samples per step, over all lanes
 * @param lanes micro-batches per step, a power of two that divides batchSize; part of the result's identity
 * @param shuffle whether each epoch visits the micro-batches in an order of its own; null: with sample-layer attention only,
 *     as in MCT
 * @param checkpointInterval steps between two checkpoints
 * @param checkpointsKept newest checkpoints that stay
 * @param exchange how gradients meet, one of {@link #EXCHANGES}; the result has the same bits with each
 * @param exchangeTimeout seconds that an executor waits for another one in a step of the barrier exchange
 * @param divergenceFactor how many times the lowest loss of the first steps a loss may be, above 1; null: any finite loss
 */
public record TrainingConfig(
        int batchSize,
        int lanes,
        Boolean shuffle,
        int checkpointInterval,
        int checkpointsKept,
        String exchange,
        int exchangeTimeout,
        Double divergenceFactor)
        implements Serializable {
    /** The choice that leaves it to the run. */
    public static final String AUTO = "auto";

    /** One Spark job per step. */
    public static final String JOB = "job";

    /** Tasks that live from one checkpoint to the next and exchange gradients themselves. */
    public static final String BARRIER = "barrier";

    /** What {@code exchange} may be. */
    public static final List<String> EXCHANGES = List.of(AUTO, JOB, BARRIER);

    private static final int DEFAULT_TIMEOUT = 300;
    private static final double DEFAULT_DIVERGENCE_FACTOR = 1e6;

    public TrainingConfig {
        Check.atLeast(batchSize, 1, "batch_size");
        Check.that(
                lanes >= 1 && Integer.bitCount(lanes) == 1 && batchSize % lanes == 0,
                "lanes",
                lanes,
                "it is not a power of two that divides batch_size " + batchSize,
                "Use for example " + Math.min(4, Integer.lowestOneBit(batchSize)));
        Check.atLeast(checkpointInterval, 1, "checkpoint_interval");
        Check.atLeast(checkpointsKept, 1, "checkpoints_kept");
        Check.that(
                exchange != null && EXCHANGES.contains(exchange),
                "exchange",
                exchange,
                "it is not a kind of exchange",
                "Use one of " + String.join(", ", EXCHANGES));
        Check.atLeast(exchangeTimeout, 1, "exchange_timeout");
        Check.that(
                divergenceFactor == null || divergenceFactor > 1 && Double.isFinite(divergenceFactor),
                "divergence_factor",
                divergenceFactor,
                "it is not a finite number above 1",
                "Use for example 1e6, or null for no limit");
    }

    /** With the default divergence factor. */
    public TrainingConfig(
            int batchSize,
            int lanes,
            Boolean shuffle,
            int checkpointInterval,
            int checkpointsKept,
            String exchange,
            int exchangeTimeout) {
        this(
                batchSize,
                lanes,
                shuffle,
                checkpointInterval,
                checkpointsKept,
                exchange,
                exchangeTimeout,
                DEFAULT_DIVERGENCE_FACTOR);
    }

    /** With the default timeout. */
    public TrainingConfig(
            int batchSize, int lanes, Boolean shuffle, int checkpointInterval, int checkpointsKept, String exchange) {
        this(batchSize, lanes, shuffle, checkpointInterval, checkpointsKept, exchange, DEFAULT_TIMEOUT);
    }

    /** With shuffle null and exchange auto. */
    public TrainingConfig(int batchSize, int lanes, int checkpointInterval, int checkpointsKept) {
        this(batchSize, lanes, null, checkpointInterval, checkpointsKept, AUTO);
    }

    /** 32 samples per step in 4 lanes, a checkpoint every 100 steps, the 2 newest kept, shuffle null,
     * exchange auto. */
    public static TrainingConfig defaults() {
        return new TrainingConfig(32, 4, 100, 2);
    }
}
