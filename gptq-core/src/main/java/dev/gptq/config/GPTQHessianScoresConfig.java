package dev.gptq.config;

import java.io.Serializable;

/**
 * How Hessian scores become loss weights.
 *
 * @param perSample one weight per sample and layer (sample-layer attention) instead of one per layer
 * @param hessiansNumSamples samples scored; null means all
 * @param normScores null means {@code !perSample}
 * @param logNorm null means {@code !perSample}
 */
public record GPTQHessianScoresConfig(
        boolean perSample,
        Integer hessiansNumSamples,
        Boolean normScores,
        Boolean logNorm,
        boolean scaleLogNorm,
        int hessianBatchSize)
        implements Serializable {}
