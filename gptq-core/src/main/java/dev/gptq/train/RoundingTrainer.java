package dev.gptq.train;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.graph.Graph;
import dev.gptq.hessian.LossWeights;
import java.util.List;

/**
 * The driver's side of training: owns rounding variables, biases, learned scales and optimizer state; turns them into
 * student parameters, and a folded gradient with respect to those (chain rule through the rounding quantizers, plus the
 * regularizer) into an update.
 */
public final class RoundingTrainer {
    public RoundingTrainer(
            Graph prepared, QuantizationPlan plan, GradientPTQConfig config, LossWeights lossWeights, int totalSteps) {
        throw new UnsupportedOperationException();
    }

    /** Steps done so far. */
    public int step() {
        throw new UnsupportedOperationException();
    }

    public StudentParameters parameters() {
        throw new UnsupportedOperationException();
    }

    /**
     * Applies one step.
     *
     * @throws dev.gptq.GptqException DIVERGED with step, layer and remedy when loss or gradient is not finite
     */
    public StepResult update(LaneGradient gradient) {
        throw new UnsupportedOperationException();
    }

    /** The layers after hard rounding. */
    public List<QuantizedLayer> quantizedLayers() {
        throw new UnsupportedOperationException();
    }

    /** Everything a checkpoint holds. */
    public TrainerState state() {
        throw new UnsupportedOperationException();
    }

    /** Continues from a checkpoint of the same plan and configuration. */
    public void restore(TrainerState state) {
        throw new UnsupportedOperationException();
    }

    /** One step's numbers. */
    public record StepResult(int step, double loss, double distillationLoss, double regularization) {}
}
