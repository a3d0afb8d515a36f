package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import dev.gptq.engine.Autograd;
import java.util.List;

/**
 * How far the student is from the teacher in one micro-batch. Implementations named in a configuration have a public
 * constructor without arguments, keep no state, and may be called from several threads at once.
 * Multiply and divide by numbers with {@link dev.gptq.engine.Engines#scalar}: {@code array.mul(3)} of DJL 0.36 leaves the
 * backward pass with memory that may be gone.
 */
public interface DistillationLoss {
    /**
     * The micro-batch's share of the step's loss, as a scalar array that depends differentiably on {@code student}.
     * Shares of all micro-batches of a step are summed, so a mean over samples has to be multiplied by
     * {@link Context#shareOfBatch}.
     *
     * @param student raw outputs of the quantized model at the compare points, samples first
     * @param teacher the float model's, without gradient
     */
    NDArray share(List<NDArray> student, List<NDArray> teacher, Context context);

    /**
     * The share and its gradient. Losses that know their gradient may say it; here it comes from {@link #share} by
     * automatic differentiation.
     *
     * @param student raw outputs whose history, if they have one, is left alone
     */
    default OutputGradients differentiate(List<NDArray> student, List<NDArray> teacher, Context context) {
        try (Autograd.Recording recording = Autograd.record()) {
            List<NDArray> leaves = student.stream()
                    .map(output -> Autograd.leaf(Autograd.detach(output)))
                    .toList();
            NDArray share = share(leaves, teacher, context);
            NDArray one = share.onesLike();
            List<NDArray> gradients = Autograd.gradients(List.of(share), List.of(one), leaves, false);
            // A user's loss may well be computed in double precision.
            double value = share.getDataType() == DataType.FLOAT64 ? share.getDouble() : share.getFloat();
            return new OutputGradients(value, gradients);
        }
    }

    /** Whether this loss reads {@link Context#teacherEnergies}: they take a run of the teacher over all samples. */
    default boolean readsTeacherEnergies() {
        return false;
    }

    /**
     * What a loss may weigh with.
     *
     * @param layerWeights one weight per compare point
     * @param sampleWeights [sample][compare point] for sample-layer attention, else null
     * @param attentionDenominator of the step: max over compare points of the mean sample weight over the global batch
     * @param teacherEnergies by compare point, the sum of squares of the teacher's outputs over the global batch; null
     *     unless {@link #readsTeacherEnergies}
     * @param samples samples in the micro-batch
     * @param globalBatchSize samples in the step
     */
    record Context(
            float[] layerWeights,
            float[][] sampleWeights,
            double attentionDenominator,
            double[] teacherEnergies,
            int samples,
            int globalBatchSize) {
        /** This micro-batch's part of the step's samples. */
        public double shareOfBatch() {
            return (double) samples / globalBatchSize;
        }
    }
}
