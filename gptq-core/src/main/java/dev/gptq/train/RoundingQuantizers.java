package dev.gptq.train;

import dev.gptq.GptqException;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.RoundingType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.hessian.LossWeights;
import java.util.Arrays;

/** Builds what a configuration trains a plan's kernels with. */
final class RoundingQuantizers {
    private RoundingQuantizers() {}

    /** The quantizer of some rows of a layer's kernel, with offset 0; refuses what cannot be trained. */
    static RoundingQuantizer of(Graph prepared, QuantizationPlan plan, ParameterPiece piece, GradientPTQConfig config) {
        WeightQuantizer weight = plan.weights().get(piece.layer());
        TensorData kernel = plan.kernel(prepared, weight);
        int rowSize = piece.size() / piece.rows();
        int begin = piece.firstRow() * rowSize;
        float[] rows = Arrays.copyOfRange(kernel.floats(), begin, begin + piece.size());
        long[] shape = kernel.shape().clone();
        if (shape.length > 0) {
            shape[0] = piece.rows();
        }
        WeightQuantizer ofRows = weight.rows(piece.firstRow(), piece.rows());
        TensorData start = ofRows.start(TensorData.ofFloats(rows, shape));
        return of(ofRows, start, plan.starts().has(weight), config);
    }

    private static RoundingQuantizer of(
            WeightQuantizer weight, TensorData kernel, boolean onGrid, GradientPTQConfig config) {
        requireTrainable(weight, config);
        if (config.roundingType() == RoundingType.STE) {
            int lsbs = config.quantizerParametersOverride().maxLsbsChange(weight.bits());
            return new SteRoundingQuantizer(weight, kernel.floats(), kernel.shape(), 0, lsbs);
        }
        if (weight.method() == QuantizationMethod.UNIFORM
                && config.quantizerParametersOverride().quantizationParameterLearning()) {
            return new LearnedRangeQuantizer(weight, kernel.floats(), kernel.shape(), 0, onGrid);
        }
        return new SoftRoundingQuantizer(weight, kernel.floats(), kernel.shape(), 0, onGrid);
    }

    /** Refuses what cannot be trained. */
    static void requireTrainable(WeightQuantizer weight, GradientPTQConfig config) {
        if (config.roundingType() != RoundingType.STE) {
            return;
        }
        if (weight.method() == QuantizationMethod.UNIFORM) {
            throw refused(
                    weight,
                    "rounding_type STE has no rule for UNIFORM weights (nor has MCT)",
                    "Use SoftQuantizer, or SYMMETRIC or POWER_OF_TWO weights");
        }
        if (config.quantizerParametersOverride().quantizationParameterLearning()) {
            throw refused(
                    weight,
                    "rounding_type STE does not learn quantization parameters",
                    "Use SoftQuantizer, or set quantization_parameter_learning to false");
        }
    }

    private static GptqException refused(WeightQuantizer weight, String reason, String remedy) {
        return GptqException.unsupported(
                "Cannot train layer %s: %s. %s.", weight.point().name(), reason, remedy);
    }

    /** The regularizer of soft rounding, or null for STE. */
    static RoundingRegularizer regularizer(LossWeights weights, GradientPTQConfig config, RoundingPhases phases) {
        return config.roundingType() == RoundingType.STE
                ? null
                : new RoundingRegularizer(weights.regularizer(), config.regularizationFactor(), phases);
    }

    /** All biases in the layout's order, each less its bias correction. */
    static float[] correctedBiases(Graph prepared, QuantizationPlan plan, ParameterLayout layout) {
        float[] biases = new float[layout.biasCount()];
        for (int l = 0; l < plan.weights().size(); l++) {
            ParameterLayout.Slice slice = layout.layers().get(l).bias();
            if (slice == null) {
                continue;
            }
            WeightQuantizer weight = plan.weights().get(l);
            float[] bias = ParameterLayout.bias(prepared, weight.point()).floats();
            int begin = slice.offset() - layout.kernelCount();
            double[] corrections = weight.biasCorrection();
            for (int c = 0; c < bias.length; c++) {
                double correction = corrections == null ? 0 : corrections[c];
                biases[begin + c] = (float) (bias[c] - correction);
            }
        }
        return biases;
    }
}
