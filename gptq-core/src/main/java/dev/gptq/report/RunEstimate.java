package dev.gptq.report;

import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.train.BatchSchedule;

/**
 * Roughly what the stages of a run take on CPUs: the costs of a forward pass and of error compensation are measured, everything
 * else is counted in forward passes. The factors were found on two small convolutional networks; they are rough, and those of a
 * machine that has nothing else to do.
 *
 * @param compensation null without error compensation
 * @param calibration samples of the calibration dataset
 * @param evaluation samples that are evaluated
 * @param slots tasks that run at once
 */
public record RunEstimate(
        RunConfig config,
        ForwardCost forward,
        CompensationCost compensation,
        long calibration,
        long evaluation,
        int slots) {
    /** Histograms and ranges of all activations beside the forward pass. */
    private static final double CALIBRATE = 8;

    /** Ranges of what may be smoothed beside a forward pass. */
    private static final double SMOOTH = 2;

    /** A backward pass that reaches activations only, of few samples at a time. */
    private static final double BACKWARD = 4;

    /** The teacher, and the student with quantized kernels and activations forward and backward. */
    private static final double TRAIN = 10;

    /** Two students, and three models in ONNX Runtime. */
    private static final double EVALUATE = 12;

    /** Before the first sample: Spark's first job, and the libraries on their way into memory. */
    private static final double START_SECONDS = 10;

    /** Decoded and written by one task in a second, about. */
    private static final double PREPARED_BYTES = 20e6;

    /** Outside the heap: Java's own, the libraries, and what allocators keep of memory that was given back. */
    private static final long JVM_BYTES = 900L << 20;

    /** Threads' pools are never as full as they could be. */
    private static final int SLACK = 2;

    /** Of a stage: its jobs, broadcasts and the first use of a model. */
    private static final double STAGE_SECONDS = 2;

    /** Of a step beside its gradients: exchange and update. */
    private static final double STEP_SECONDS = 0.02;

    /** Random vectors per sample where outputs are too many for the exact expectation. */
    private static final long MOST_PASSES = 100;

    /** Reading, decoding and writing {@code bytes} of samples. */
    public double prepareSeconds(long bytes) {
        return START_SECONDS + bytes / PREPARED_BYTES / Math.max(1, slots);
    }

    /** The activation statistics. */
    public double calibrateSeconds() {
        boolean smooths = config.quantization().preparation().activationSmoothing();
        return onAllSlots(calibration * (CALIBRATE + (smooths ? SMOOTH : 0)));
    }

    /** Samples whose Hessian scores are computed; 0 without training or without scores. */
    public long scored() {
        GPTQHessianScoresConfig scores = config.gptq().hessianWeightsConfig();
        if (steps() == 0 || scores == null) {
            return 0;
        }
        return scores.hessiansNumSamples() == null ? calibration : Math.min(calibration, scores.hessiansNumSamples());
    }

    /** The Hessian scores. */
    public double hessianSeconds() {
        long passes = Math.min(forward.outputs(), MOST_PASSES);
        return scored() == 0 ? 0 : onAllSlots(scored() * (1 + BACKWARD * passes));
    }

    /** Samples that error compensation takes second moments over; 0 without it. */
    public long compensated() {
        return compensation == null
                ? 0
                : Math.min(calibration, config.gptq().errorCompensationConfig().numSamples());
    }

    /** The compensated kernels that training starts from. */
    public double compensateSeconds() {
        return compensation == null
                ? 0
                : STAGE_SECONDS * compensation.passes() + compensated() * compensation.seconds() / slots;
    }

    /** Steps of the whole training. */
    public int steps() {
        return config.gptq().nEpochs() == 0
                ? 0
                : BatchSchedule.of(calibration, config).totalSteps();
    }

    /** The training; lanes beyond the slots wait for each other. */
    public double trainSeconds() {
        if (steps() == 0) {
            return 0;
        }
        int lanes = config.training().lanes();
        double rounds = Math.ceil((double) lanes / slots);
        double lane = BatchSchedule.microBatchSize(config.training()) * TRAIN * forward.seconds();
        return STAGE_SECONDS + steps() * (rounds * lane + STEP_SECONDS);
    }

    /** The comparison of the three models. */
    public double evaluateSeconds() {
        return onAllSlots(evaluation * EVALUATE);
    }

    /**
     * Memory outside the heap that a training task needs.
     *
     * @param parameterBytes of all constants of the prepared model
     */
    public long taskBytes(long parameterBytes) {
        return ModelSummary.taskBytes(
                parameterBytes, forward.activationBytes(), BatchSchedule.microBatchSize(config.training()));
    }

    /**
     * Memory outside the heap that a JVM needs whose tasks train.
     *
     * @param parameterBytes of all constants of the prepared model
     * @param tasks of the JVM at once
     */
    public long jvmBytes(long parameterBytes, int tasks) {
        return JVM_BYTES + SLACK * tasks * taskBytes(parameterBytes);
    }

    private double onAllSlots(double forwardPasses) {
        return STAGE_SECONDS + forwardPasses * forward.seconds() / slots;
    }
}
