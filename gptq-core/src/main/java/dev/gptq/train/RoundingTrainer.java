package dev.gptq.train;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.OptimizerConfig;
import dev.gptq.graph.Graph;
import dev.gptq.hessian.LossWeights;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Owns rounding variables, biases, learned scales and optimizer state; turns them into student parameters, and a folded
 * gradient with respect to those (chain rule through the rounding quantizers, plus the regularizer) into an update (MCT,
 * gptq_training). A step is the update of every {@link ParameterPiece}, whoever does it, and then {@link #finishStep}.
 */
public final class RoundingTrainer {
    private final ParameterLayout layout;
    private final List<ParameterPiece> pieces;
    /** One per piece; null where another trainer owns it. */
    private final List<TrainedPiece> trained;

    private final StateLayout stateLayout = new StateLayout();
    private final LinearAnnealing quantizedFraction;
    private final LogFunction logFunction;
    private final int totalSteps;
    private final Divergence divergence;

    private int step;
    private StudentParameters parameters;

    /** Owns the whole model and calls the configured log function. */
    public RoundingTrainer(
            Graph prepared, QuantizationPlan plan, GradientPTQConfig config, LossWeights lossWeights, int totalSteps) {
        this(
                prepared,
                plan,
                config,
                lossWeights,
                totalSteps,
                pieces(prepared, plan, config),
                0,
                Integer.MAX_VALUE,
                config.logFunction() == null ? null : LogFunction.of(config.logFunction()));
    }

    /** Owns pieces [first, end) of the whole model's; calls no log function. */
    public RoundingTrainer(
            Graph prepared,
            QuantizationPlan plan,
            GradientPTQConfig config,
            LossWeights lossWeights,
            int totalSteps,
            int first,
            int end) {
        this(prepared, plan, config, lossWeights, totalSteps, pieces(prepared, plan, config), first, end, null);
    }

    RoundingTrainer(
            Graph prepared,
            QuantizationPlan plan,
            GradientPTQConfig config,
            LossWeights lossWeights,
            int totalSteps,
            List<ParameterPiece> pieces,
            int first,
            int end,
            LogFunction logFunction) {
        this.layout = ParameterLayout.of(prepared, plan);
        this.pieces = pieces;
        this.totalSteps = totalSteps;
        this.divergence = new Divergence(prepared, layout, totalSteps);
        this.logFunction = logFunction;
        var gradual = config.gradualActivationQuantizationConfig();
        this.quantizedFraction = gradual == null
                ? null
                : LinearAnnealing.quantizedFraction(gradual.qFractionSchedulerPolicy(), totalSteps);
        this.trained = new ArrayList<>();
        RoundingPhases phases = RoundingPhases.of(config.roundingPhases(), totalSteps);
        RoundingRegularizer regularizer = RoundingQuantizers.regularizer(lossWeights, config, phases);
        float[] biases = RoundingQuantizers.correctedBiases(prepared, plan, layout);
        for (int i = 0; i < pieces.size(); i++) {
            ParameterPiece piece = pieces.get(i);
            TrainedPiece built = piece.holdsBiases()
                    ? biasPiece(piece, biases, config)
                    : kernelPiece(
                            piece, RoundingQuantizers.of(prepared, plan, piece, config), regularizer, phases, config);
            stateLayout.add(built);
            trained.add(i >= first && i < end ? built : null);
        }
    }

    private TrainedPiece biasPiece(ParameterPiece piece, float[] biases, GradientPTQConfig config) {
        int begin = piece.from() - layout.kernelCount();
        return new BiasPiece(piece, Arrays.copyOfRange(biases, begin, begin + piece.size()), biasOptimizer(config));
    }

    private static TrainedPiece kernelPiece(
            ParameterPiece piece,
            RoundingQuantizer quantizer,
            RoundingRegularizer regularizer,
            RoundingPhases phases,
            GradientPTQConfig config) {
        return new KernelPiece(piece, quantizer, regularizer, phases, config.optimizer(), scaleOptimizer(config));
    }

    /** What trains biases, or null. */
    static OptimizerConfig biasOptimizer(GradientPTQConfig config) {
        return config.trainBias() ? firstOf(config.optimizerBias(), config.optimizerRest()) : null;
    }

    /** What trains quantization parameters, or null. */
    static OptimizerConfig scaleOptimizer(GradientPTQConfig config) {
        return config.quantizerParametersOverride().quantizationParameterLearning()
                ? firstOf(config.optimizerQuantizationParameter(), config.optimizerRest())
                : null;
    }

    private static <T> T firstOf(T preferred, T fallback) {
        return preferred == null ? fallback : preferred;
    }

    /** Steps done so far. */
    public int step() {
        return step;
    }

    /** All pieces of the model, in the order of their elements. */
    public List<ParameterPiece> pieces() {
        return pieces;
    }

    /** The pieces that a trainer of this model has. */
    public static List<ParameterPiece> pieces(Graph prepared, QuantizationPlan plan, GradientPTQConfig config) {
        return ParameterPiece.cut(ParameterLayout.of(prepared, plan), plan, config);
    }

    /**
     * Refuses a plan that cannot be trained, before anything of the model's size is allocated.
     *
     * @throws dev.gptq.GptqException UNSUPPORTED_MODEL with layer and remedy
     */
    public static void requireTrainable(QuantizationPlan plan, GradientPTQConfig config) {
        plan.weights().forEach(weight -> RoundingQuantizers.requireTrainable(weight, config));
    }

    /** The quantized fraction of activations in the next step. */
    public double quantizedFraction() {
        return quantizedFraction == null ? 1 : quantizedFraction.at(step);
    }

    /** What lanes run the next step with; for a trainer that owns the whole model. */
    public StudentParameters parameters() {
        if (parameters == null) {
            float[] values = new float[layout.totalCount()];
            trained.forEach(piece -> piece.writeTo(values));
            parameters = new StudentParameters(step, values, quantizedFraction());
        }
        return parameters;
    }

    /** Writes what lanes run the next step with of an own piece. Has to precede the piece's update in every step. */
    public void writePiece(int piece, float[] values) {
        trained.get(piece).writeTo(values);
    }

    /**
     * Applies one step.
     *
     * @throws dev.gptq.GptqException DIVERGED with step, layer and remedy when loss or gradient is not finite
     */
    public StepResult update(LaneGradient gradient) {
        if (gradient.gradient().length != layout.totalCount()) {
            throw new IllegalArgumentException("Cannot update " + layout.totalCount()
                    + " parameters with a gradient of " + gradient.gradient().length + ".");
        }
        StudentParameters current = parameters();
        checkFinite(gradient.loss(), current.values());
        double[] regularization = new double[pieces.size()];
        for (int i = 0; i < pieces.size(); i++) {
            regularization[i] =
                    updatePiece(i, gradient.gradient(), pieces.get(i).from());
        }
        StepResult result = finishStep(gradient.loss(), regularization, current.values());
        if (logFunction != null) {
            logFunction.onStep(result, current);
        }
        return result;
    }

    /**
     * Applies one step to an own piece. Different threads may update different pieces.
     *
     * @param gradient the folded gradient of the piece, which begins at {@code position}
     * @return the regularization's value for the piece
     * @throws dev.gptq.GptqException DIVERGED when the gradient is not finite
     */
    public double updatePiece(int piece, float[] gradient, int position) {
        ParameterPiece elements = pieces.get(piece);
        for (int i = 0; i < elements.size(); i++) {
            if (!Float.isFinite(gradient[position + i])) {
                throw divergence.ofGradient(step, elements.from() + i, gradient[position + i]);
            }
        }
        return trained.get(piece).update(gradient, position, step, totalSteps);
    }

    /**
     * Ends a step all of whose pieces have been updated.
     *
     * @param loss the distillation loss of the step
     * @param regularization one value per piece of the model, as {@link #updatePiece} returned them
     * @param parameters the model's parameters, for messages
     * @throws dev.gptq.GptqException DIVERGED when the loss is not finite
     */
    public StepResult finishStep(double loss, double[] regularization, float[] parameters) {
        checkFinite(loss, parameters);
        double sum = 0;
        for (double value : regularization) {
            sum += value;
        }
        StepResult result = new StepResult(step, loss + sum, loss, sum);
        step++;
        this.parameters = null;
        return result;
    }

    private void checkFinite(double loss, float[] current) {
        if (!Double.isFinite(loss)) {
            throw divergence.ofLoss(step, loss, current);
        }
    }

    /**
     * Looks at a step that has just been finished.
     *
     * @param limit the highest distillation loss it may have, see {@link LossLimit}
     * @param parameters the model's parameters after it, for the message
     * @throws dev.gptq.GptqException DIVERGED with step, layer and remedy when its loss is above the limit
     */
    public void requireBelow(double limit, StepResult result, float[] parameters) {
        if (result.distillationLoss() > limit) {
            throw divergence.ofExplosion(result.step(), result.distillationLoss(), limit, parameters);
        }
    }

    /** The layers after hard rounding; for a trainer that owns the whole model. */
    public List<QuantizedLayer> quantizedLayers() {
        return HardRounding.of(layout, trained);
    }

    /** Everything a checkpoint holds of the own pieces. */
    public TrainerState state() {
        return StateLayout.collect(
                step, trained.stream().filter(Objects::nonNull).toList());
    }

    /** How many numbers {@link #state} has, by name, in a trainer that owns pieces [first, end). */
    public Map<String, Integer> stateLengths(int first, int end) {
        return stateLayout.lengths(first, end);
    }

    /** Continues from the whole model's state, which has to be of the same plan and configuration. */
    public void restore(TrainerState state) {
        stateLayout.restore(state, trained);
        step = state.step();
        parameters = null;
    }

    /** One step's numbers. */
    public record StepResult(int step, double loss, double distillationLoss, double regularization)
            implements Serializable {}
}
