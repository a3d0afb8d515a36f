package dev.gptq.calibrate;

import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.OutputMoments;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Second-moment correction of kernels (MCT, weights_second_moment_correction): rounding a kernel changes mean and variance
 * of the layer's output; where a BatchNormalization was folded into the layer, both are known to have been beta and gamma^2.
 * The student's kernel and its grid are multiplied by s = sqrt(gamma^2 + e) / sqrt(v + e) and its bias becomes beta + (b - m)
 * * s, with mean m and variance v of the output measured with rounded kernels. Integers stay as they are, and so does the
 * float model, which remains the teacher.
 *
 * <p>Layers with kernels of power-of-two thresholds, which a factor would not leave any, and those whose output channels
 * share a threshold stay. Corrected layers get no other bias correction, as in MCT. Thresholds of activations are those of the
 * float model, whose moments the correction restores.
 */
public final class SecondMomentCorrection {
    /** MCT's epsilon of the normalization that measures. */
    static final double EPSILON = 1e-5;

    private SecondMomentCorrection() {}

    /** Whether any layer of the plan can be corrected. */
    public static boolean isPossible(Graph corrected, QuantizationPlan plan) {
        return !layers(corrected, plan).isEmpty();
    }

    /** The layers that can be corrected, in plan order. */
    static List<WeightQuantizer> layers(Graph corrected, QuantizationPlan plan) {
        Set<String> moved = plan.corrections().stream()
                .filter(correction -> correction.kind() == GraphCorrection.Kind.SOFTMAX_SHIFT)
                .map(GraphCorrection::layer)
                .collect(Collectors.toSet());
        return plan.weights().stream()
                .filter(layer -> layer.method() != QuantizationMethod.POWER_OF_TWO && layer.channelAxis() >= 0)
                .filter(layer -> layer.point().bias() != null
                        && corrected.constants().get(layer.point().bias()).size()
                                == layer.grid().scale().length
                        && corrected.moments().containsKey(layer.point().output())
                        && !moved.contains(layer.point().name()))
                .toList();
    }

    /**
     * The plan whose student starts from corrected kernels and biases.
     *
     * @param corrected the graph that the plan is for
     * @param measured by {@link SecondMomentCollector} for the same graph and plan
     */
    public static QuantizationPlan apply(Graph corrected, QuantizationPlan plan, LayerMoments measured) {
        List<WeightQuantizer> correctable = layers(corrected, plan);
        List<WeightQuantizer> weights = new ArrayList<>();
        for (WeightQuantizer layer : plan.weights()) {
            weights.add(correctable.contains(layer) ? correct(corrected, layer, measured) : layer);
        }
        return new QuantizationPlan(weights, plan.activations(), plan.corrections());
    }

    private static WeightQuantizer correct(Graph corrected, WeightQuantizer layer, LayerMoments measured) {
        ComparePoint point = layer.point();
        OutputMoments wanted = corrected.moments().get(point.output());
        ChannelMoments found = measured.of(point.name());
        float[] bias = corrected.constants().get(point.bias()).floats();
        double[] factor = new double[bias.length];
        double[] term = new double[bias.length];
        for (int channel = 0; channel < bias.length; channel++) {
            factor[channel] = factor(wanted.deviation()[channel], found.variance(channel));
            term[channel] = bias[channel]
                    - (wanted.mean()[channel] + (bias[channel] - found.mean()[channel]) * factor[channel]);
        }
        return new WeightQuantizer(
                point,
                layer.method(),
                layer.bits(),
                layer.channelAxis(),
                times(layer.threshold(), factor),
                times(layer.rangeMin(), factor),
                times(layer.rangeMax(), factor),
                term,
                factor);
    }

    /** A channel that rounding has made constant cannot be stretched. */
    private static double factor(double deviation, double variance) {
        return variance == 0 ? 1 : Math.sqrt((deviation * deviation + EPSILON) / (variance + EPSILON));
    }

    private static double[] times(double[] values, double[] factors) {
        if (values == null) {
            return null;
        }
        double[] product = Arrays.copyOf(values, values.length);
        for (int channel = 0; channel < product.length; channel++) {
            product[channel] *= factors[channel];
        }
        return product;
    }
}
