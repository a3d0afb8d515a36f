package dev.gptq.train;

import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.config.OptimizerConfig;
import java.util.Arrays;
import java.util.List;

/** Rows of a kernel: rounding variables, learned quantization parameters, and the quantizer between them and the student. */
final class KernelPiece extends TrainedPiece {
    static final String VARIABLES = "alpha";
    static final String LEARNED = "scale";

    private final RoundingQuantizer quantizer;
    private final RoundingRegularizer regularizer;
    private final RoundingPhases phases;
    private final TrainedGroup alpha;
    /** Learned factors of the steps, or learned ranges; null when nothing is learned. */
    private final TrainedGroup scale;

    /**
     * @param quantizer of these rows, with offset 0
     * @param regularizer null for none
     * @param learnedOptimizer of the quantization parameters; null when they are not learned
     */
    KernelPiece(
            ParameterPiece piece,
            RoundingQuantizer quantizer,
            RoundingRegularizer regularizer,
            RoundingPhases phases,
            OptimizerConfig optimizer,
            OptimizerConfig learnedOptimizer) {
        super(piece);
        this.quantizer = quantizer;
        this.regularizer = regularizer;
        this.phases = phases;
        float[] variables = new float[piece.size()];
        quantizer.initialize(variables);
        this.alpha = new TrainedGroup(VARIABLES, variables, optimizer);
        if (learnedOptimizer != null && quantizer.learnedCount() > 0) {
            float[] learned = new float[quantizer.learnedCount()];
            quantizer.initializeLearned(learned, 0);
            this.scale = new TrainedGroup(LEARNED, learned, learnedOptimizer);
        } else {
            this.scale = null;
        }
    }

    private float[] learned() {
        return scale == null ? null : scale.values();
    }

    @Override
    void writeTo(float[] values) {
        float[] kernel = new float[piece.size()];
        quantizer.forward(alpha.values(), learned(), 0, kernel);
        System.arraycopy(kernel, 0, values, piece.from(), piece.size());
    }

    @Override
    double update(float[] gradient, int position, int step, int totalSteps) {
        float[] kernelGradient = Arrays.copyOfRange(gradient, position, position + piece.size());
        float[] alphaGradient = new float[piece.size()];
        float[] scaleGradient = scale == null ? null : new float[scale.values().length];
        quantizer.backward(kernelGradient, learned(), 0, alphaGradient, scaleGradient);
        double regularization = regularizer == null
                ? 0
                : regularizer.addTo(piece.layer(), (SoftRoundingQuantizer) quantizer, alphaGradient, step);
        if (!phases.isHard(step)) {
            alpha.update(alphaGradient, step, totalSteps);
            if (phases.isHard(step + 1)) {
                quantizer.harden(alpha.values());
            }
        }
        if (scale != null) {
            scale.update(scaleGradient, step, totalSteps);
        }
        return regularization;
    }

    @Override
    List<TrainedGroup> groups() {
        return scale == null ? List.of(alpha) : List.of(alpha, scale);
    }

    /** The rows after hard rounding. */
    int[] integers() {
        return quantizer.integers(alpha.values(), learned(), 0);
    }

    /** The grid of the rows. */
    QuantizationGrid grid() {
        return quantizer.grid(learned(), 0);
    }
}
