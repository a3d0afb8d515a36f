package dev.gptq.config;

import java.io.Serializable;

/**
 * The data-parallel loop.
 *
 * @param batchSize samples per step, over all lanes
 * @param lanes micro-batches per step, a power of two that divides batchSize; part of the result's identity
 * @param checkpointInterval steps between two checkpoints
 * @param checkpointsKept newest checkpoints that stay
 */
public record TrainingConfig(int batchSize, int lanes, int checkpointInterval, int checkpointsKept)
        implements Serializable {}
