package dev.gptq.train;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.graph.Graph;
import dev.gptq.hessian.LossWeights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The driver's side of training: owns rounding variables, biases, learned scales and optimizer state; turns them into
 * student parameters, and a folded gradient with respect to those (chain rule through the rounding quantizers, plus the
 * regularizer) into an update (MCT, gptq_training).
 */
public final class RoundingTrainer {
    private final ParameterLayout layout;
    private final List<RoundingQuantizer> quantizers;
    private final RoundingRegularizer regularizer;
    private final LinearAnnealing quantizedFraction;
    private final LogFunction logFunction;
    private final int totalSteps;
    private final TrainedGroup alpha;
    private final TrainedGroup bias;
    /** Learned factors of the steps, or learned ranges, layer by layer; null when nothing is learned. */
    private final TrainedGroup scale;

    private int step;
    private StudentParameters parameters;

    public RoundingTrainer(
            Graph prepared, QuantizationPlan plan, GradientPTQConfig config, LossWeights lossWeights, int totalSteps) {
        this.layout = ParameterLayout.of(prepared, plan);
        this.totalSteps = totalSteps;
        this.quantizers = RoundingQuantizers.of(prepared, plan, config);
        this.regularizer = RoundingQuantizers.regularizer(quantizers, lossWeights, config, totalSteps);
        var gradual = config.gradualActivationQuantizationConfig();
        this.quantizedFraction = gradual == null
                ? null
                : LinearAnnealing.quantizedFraction(gradual.qFractionSchedulerPolicy(), totalSteps);
        this.logFunction = config.logFunction() == null ? null : LogFunction.of(config.logFunction());
        this.alpha = new TrainedGroup("alpha", initialVariables(), config.optimizer());
        this.bias = new TrainedGroup(
                "bias",
                RoundingQuantizers.correctedBiases(prepared, plan, layout),
                config.trainBias() ? firstOf(config.optimizerBias(), config.optimizerRest()) : null);
        this.scale = config.quantizerParametersOverride().quantizationParameterLearning() && learnedCount() > 0
                ? new TrainedGroup(
                        "scale",
                        initialScales(),
                        firstOf(config.optimizerQuantizationParameter(), config.optimizerRest()))
                : null;
    }

    private static <T> T firstOf(T preferred, T fallback) {
        return preferred == null ? fallback : preferred;
    }

    private float[] initialVariables() {
        float[] variables = new float[layout.kernelCount()];
        quantizers.forEach(quantizer -> quantizer.initialize(variables));
        return variables;
    }

    private int learnedCount() {
        return quantizers.stream().mapToInt(RoundingQuantizer::learnedCount).sum();
    }

    private float[] initialScales() {
        float[] scales = new float[learnedCount()];
        int scaleOffset = 0;
        for (RoundingQuantizer quantizer : quantizers) {
            quantizer.initializeLearned(scales, scaleOffset);
            scaleOffset += quantizer.learnedCount();
        }
        return scales;
    }

    /** The learned parameters, or null for a layer that has none. */
    private float[] learned(RoundingQuantizer quantizer) {
        return scale == null || quantizer.learnedCount() == 0 ? null : scale.values();
    }

    /** Steps done so far. */
    public int step() {
        return step;
    }

    /** What lanes run the next step with. */
    public StudentParameters parameters() {
        if (parameters == null) {
            float[] values = new float[layout.totalCount()];
            int scaleOffset = 0;
            for (RoundingQuantizer quantizer : quantizers) {
                quantizer.forward(alpha.values(), learned(quantizer), scaleOffset, values);
                scaleOffset += quantizer.learnedCount();
            }
            System.arraycopy(bias.values(), 0, values, layout.kernelCount(), layout.biasCount());
            double fraction = quantizedFraction == null ? 1 : quantizedFraction.at(step);
            parameters = new StudentParameters(step, values, fraction);
        }
        return parameters;
    }

    /**
     * Applies one step.
     *
     * @throws dev.gptq.GptqException DIVERGED with step, layer and remedy when loss or gradient is not finite
     */
    public StepResult update(LaneGradient gradient) {
        checkFinite(gradient);
        StudentParameters current = parameters();
        float[] alphaGradient = new float[layout.kernelCount()];
        float[] scaleGradient = scale == null ? null : new float[scale.values().length];
        int scaleOffset = 0;
        for (RoundingQuantizer quantizer : quantizers) {
            quantizer.backward(gradient.gradient(), learned(quantizer), scaleOffset, alphaGradient, scaleGradient);
            scaleOffset += quantizer.learnedCount();
        }
        double regularization = regularizer == null ? 0 : regularizer.addTo(alphaGradient, step);
        alpha.update(alphaGradient, step, totalSteps);
        bias.update(
                Arrays.copyOfRange(gradient.gradient(), layout.kernelCount(), layout.totalCount()), step, totalSteps);
        if (scale != null) {
            scale.update(scaleGradient, step, totalSteps);
        }
        StepResult result = new StepResult(step, gradient.loss() + regularization, gradient.loss(), regularization);
        step++;
        parameters = null;
        if (logFunction != null) {
            logFunction.onStep(result, current);
        }
        return result;
    }

    private void checkFinite(LaneGradient gradient) {
        if (gradient.gradient().length != layout.totalCount()) {
            throw new IllegalArgumentException("Cannot update " + layout.totalCount()
                    + " parameters with a gradient of " + gradient.gradient().length + ".");
        }
        if (!Double.isFinite(gradient.loss())) {
            throw diverged("the loss is " + gradient.loss());
        }
        for (ParameterLayout.Layer layer : layout.layers()) {
            checkFinite(gradient.gradient(), layer.kernel(), "kernel", layer);
            if (layer.bias() != null) {
                checkFinite(gradient.gradient(), layer.bias(), "bias", layer);
            }
        }
    }

    private void checkFinite(float[] gradient, ParameterLayout.Slice slice, String what, ParameterLayout.Layer layer) {
        for (int i = slice.offset(); i < slice.offset() + slice.size(); i++) {
            if (!Float.isFinite(gradient[i])) {
                throw diverged("the gradient of the " + what + " of layer "
                        + layer.point().name() + " holds " + gradient[i]);
            }
        }
    }

    private GptqException diverged(String reason) {
        String message = String.format(
                Locale.ROOT,
                "Cannot continue training at step %d of %d: %s. Lower the learning rate of optimizer or optimizer_bias,"
                        + " and check that the calibration data is finite.",
                step,
                totalSteps,
                reason);
        return new GptqException(ErrorCode.DIVERGED, message);
    }

    /** The layers after hard rounding. */
    public List<QuantizedLayer> quantizedLayers() {
        List<QuantizedLayer> layers = new ArrayList<>();
        int scaleOffset = 0;
        for (int l = 0; l < quantizers.size(); l++) {
            RoundingQuantizer quantizer = quantizers.get(l);
            ParameterLayout.Layer layer = layout.layers().get(l);
            float[] layerBias = null;
            if (layer.bias() != null) {
                int begin = layer.bias().offset() - layout.kernelCount();
                layerBias = Arrays.copyOfRange(
                        bias.values(), begin, begin + layer.bias().size());
            }
            layers.add(new QuantizedLayer(
                    layer.point(),
                    quantizer.grid(learned(quantizer), scaleOffset),
                    quantizer.integers(alpha.values(), learned(quantizer), scaleOffset),
                    layerBias));
            scaleOffset += quantizer.learnedCount();
        }
        return layers;
    }

    /** Everything a checkpoint holds. */
    public TrainerState state() {
        return TrainerState.of(step, groups());
    }

    /** Continues from a checkpoint of the same plan and configuration. */
    public void restore(TrainerState state) {
        state.copyTo(groups());
        step = state.step();
        parameters = null;
    }

    private List<TrainedGroup> groups() {
        return scale == null ? List.of(alpha, bias) : List.of(alpha, bias, scale);
    }

    /** One step's numbers. */
    public record StepResult(int step, double loss, double distillationLoss, double regularization) {}
}
