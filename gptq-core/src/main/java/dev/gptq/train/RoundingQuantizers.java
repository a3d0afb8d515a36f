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
import java.util.ArrayList;
import java.util.List;

/** Builds what a configuration trains a plan's kernels with. */
final class RoundingQuantizers {
    private RoundingQuantizers() {}

    /** One quantizer per layer, in plan order; refuses what cannot be trained. */
    static List<RoundingQuantizer> of(Graph prepared, QuantizationPlan plan, GradientPTQConfig config) {
        List<RoundingQuantizer> quantizers = new ArrayList<>();
        int offset = 0;
        for (WeightQuantizer weight : plan.weights()) {
            TensorData kernel = ParameterLayout.kernel(prepared, weight.point());
            quantizers.add(of(weight, kernel, offset, config));
            offset += kernel.size();
        }
        return quantizers;
    }

    private static RoundingQuantizer of(
            WeightQuantizer weight, TensorData kernel, int offset, GradientPTQConfig config) {
        boolean learnsScale = config.quantizerParametersOverride().quantizationParameterLearning();
        boolean uniform = weight.method() == QuantizationMethod.UNIFORM;
        if (config.roundingType() == RoundingType.STE) {
            if (uniform) {
                throw refused(
                        weight,
                        "rounding_type STE has no rule for UNIFORM weights (nor has MCT)",
                        "Use SoftQuantizer, or SYMMETRIC or POWER_OF_TWO weights");
            }
            if (learnsScale) {
                throw refused(
                        weight,
                        "rounding_type STE does not learn quantization parameters",
                        "Use SoftQuantizer, or set quantization_parameter_learning to false");
            }
            int lsbs = config.quantizerParametersOverride().maxLsbsChange(weight.bits());
            return new SteRoundingQuantizer(weight, kernel.floats(), kernel.shape(), offset, lsbs);
        }
        if (learnsScale && uniform) {
            return new LearnedRangeQuantizer(weight, kernel.floats(), kernel.shape(), offset);
        }
        return new SoftRoundingQuantizer(weight, kernel.floats(), kernel.shape(), offset);
    }

    private static GptqException refused(WeightQuantizer weight, String reason, String remedy) {
        return GptqException.unsupported(
                "Cannot train layer %s: %s. %s.", weight.point().name(), reason, remedy);
    }

    /** The regularizer of soft rounding, or null for STE. */
    static RoundingRegularizer regularizer(
            List<RoundingQuantizer> quantizers, LossWeights weights, GradientPTQConfig config, int totalSteps) {
        if (config.roundingType() == RoundingType.STE) {
            return null;
        }
        List<SoftRoundingQuantizer> soft =
                quantizers.stream().map(SoftRoundingQuantizer.class::cast).toList();
        return new RoundingRegularizer(soft, weights.regularizer(), config.regularizationFactor(), totalSteps);
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
            for (int c = 0; c < bias.length; c++) {
                double correction = weight.biasCorrection() == null ? 0 : weight.biasCorrection()[c];
                biases[begin + c] = (float) (bias[c] - correction);
            }
        }
        return biases;
    }
}
