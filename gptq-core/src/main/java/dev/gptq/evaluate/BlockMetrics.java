package dev.gptq.evaluate;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;

/**
 * Sums over a block of samples from which metrics are computed: correct predictions of float, ptq and gptq model,
 * agreements with float, squared signal and noise of model outputs, cosine sums, and squared signal and noise of each
 * compare point for ptq and gptq; and how often the trained model's integer kernels agree with the engine.
 */
public final class BlockMetrics implements Serializable {
    private final long samples;
    private final boolean labelled;
    private final boolean classifier;
    private final long floatCorrect;
    private final OutputSums ptq;
    private final OutputSums gptq;
    private final double[] pointSignal;
    private final double[] pointNoisePtq;
    private final double[] pointNoiseGptq;
    private final EngineAgreement engineAgreement;
    private final List<Disagreement> worst;

    BlockMetrics(
            long samples,
            boolean labelled,
            boolean classifier,
            long floatCorrect,
            OutputSums ptq,
            OutputSums gptq,
            double[] pointSignal,
            double[] pointNoisePtq,
            double[] pointNoiseGptq,
            EngineAgreement engineAgreement,
            List<Disagreement> worst) {
        this.samples = samples;
        this.labelled = labelled;
        this.classifier = classifier;
        this.floatCorrect = floatCorrect;
        this.ptq = ptq;
        this.gptq = gptq;
        this.pointSignal = pointSignal;
        this.pointNoisePtq = pointNoisePtq;
        this.pointNoiseGptq = pointNoiseGptq;
        this.engineAgreement = engineAgreement;
        this.worst = worst;
    }

    /** Sums of both; this block's samples come before the other's. */
    public BlockMetrics merge(BlockMetrics next) {
        return new BlockMetrics(
                samples + next.samples,
                labelled && next.labelled,
                classifier && next.classifier,
                floatCorrect + next.floatCorrect,
                ptq.plus(next.ptq),
                gptq.plus(next.gptq),
                sum(pointSignal, next.pointSignal),
                sum(pointNoisePtq, next.pointNoisePtq),
                sum(pointNoiseGptq, next.pointNoiseGptq),
                engineAgreement.plus(next.engineAgreement),
                Disagreement.merge(worst, next.worst));
    }

    private static double[] sum(double[] first, double[] next) {
        double[] sum = Arrays.copyOf(first, first.length);
        for (int i = 0; i < sum.length; i++) {
            sum[i] += next[i];
        }
        return sum;
    }

    public long samples() {
        return samples;
    }

    /** Number of compare points. */
    public int points() {
        return pointSignal.length;
    }

    /** Share of samples that the float model labels right; null without labels or without a class vector. */
    public Double floatTop1() {
        return labelled && classifier ? share(floatCorrect) : null;
    }

    public ModelScores ptq() {
        return scores(ptq);
    }

    public ModelScores gptq() {
        return scores(gptq);
    }

    /** SQNR in dB of the raw output of compare point {@code index} in the post-training quantized model. */
    public double sqnrPtqDb(int index) {
        return Sqnr.decibels(pointSignal[index], pointNoisePtq[index]);
    }

    /** SQNR in dB of the raw output of compare point {@code index} in the trained model. */
    public double sqnrGptqDb(int index) {
        return Sqnr.decibels(pointSignal[index], pointNoiseGptq[index]);
    }

    /** How often ONNX Runtime and the engine's student say the same of the trained model. */
    public EngineAgreement engineAgreement() {
        return engineAgreement;
    }

    /** The samples on which float and trained model differ most, the worst first; at most {@link Disagreement#KEPT}. */
    public List<Disagreement> worst() {
        return worst;
    }

    private ModelScores scores(OutputSums sums) {
        return new ModelScores(
                labelled && classifier ? share(sums.correct()) : null,
                Sqnr.decibels(sums.signal(), sums.noise()),
                sums.cosine() / samples,
                classifier ? share(sums.agreed()) : null);
    }

    private Double share(long count) {
        return (double) count / samples;
    }

    /**
     * What one quantized model scores over the samples, compared with the float model.
     *
     * @param top1 share of samples labelled right; null without labels or without a class vector
     * @param sqnrDb {@code 10 log10(sum y^2 / sum (y - yq)^2)} over all outputs, at most 200 in magnitude
     * @param cosine mean over samples of the cosine similarity of outputs
     * @param agreement share of samples with the float model's class; null when the first output is no class vector
     */
    public record ModelScores(Double top1, double sqnrDb, double cosine, Double agreement) {}
}
