package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import java.util.Arrays;

/** Chooses the factors of one activation, see {@link ActivationSmoothing}. */
final class SmoothingChoice {
    private static final int EXPONENTS = 20;
    /** The most that may be left of the expected error: the division takes time. */
    private static final double WORTH = 0.9;
    /** Channels that are smaller than this share of the largest count as so small. */
    private static final double FLOOR = 1e-5;

    private static final double ROUNDING_VARIANCE = 1.0 / 12;

    private final Graph graph;
    private final LayerSettings settings;
    private final SmoothableInput input;
    private final InputScales.Channels channels;
    private final double[] largestInput;
    private final double[] largestWeight;

    SmoothingChoice(Graph graph, LayerSettings settings, SmoothableInput input, InputScales.Channels channels) {
        this.graph = graph;
        this.settings = settings;
        this.input = input;
        this.channels = channels;
        this.largestInput = new double[channels.min().length];
        this.largestWeight = new double[largestInput.length];
        for (int channel = 0; channel < largestInput.length; channel++) {
            largestInput[channel] = channels.largest(channel);
        }
        for (SmoothableInput.Reader layer : input.layers()) {
            forEachWeight(
                    layer,
                    (channel, output, weight) ->
                            largestWeight[channel] = Math.max(largestWeight[channel], Math.abs(weight)));
        }
    }

    float[] factors() {
        double without = error(ones());
        double least = WORTH * without;
        float[] best = null;
        for (int step = 0; step <= EXPONENTS; step++) {
            float[] factors = factors((double) step / EXPONENTS);
            double error = error(factors);
            // A value that is not finite makes no error that is smaller; statistics refuse its sample by name.
            if (error < least) {
                least = error;
                best = factors;
            }
        }
        return best;
    }

    private float[] ones() {
        float[] ones = new float[largestInput.length];
        Arrays.fill(ones, 1);
        return ones;
    }

    /** With the largest value of the activation kept. */
    private float[] factors(double exponent) {
        double highestInput = Arrays.stream(largestInput).max().orElse(0);
        double highestWeight = Arrays.stream(largestWeight).max().orElse(0);
        double[] wanted = new double[largestInput.length];
        double highestQuotient = 0;
        for (int channel = 0; channel < wanted.length; channel++) {
            double x = Math.max(largestInput[channel], FLOOR * highestInput);
            double w = Math.max(largestWeight[channel], FLOOR * highestWeight);
            wanted[channel] = StrictMath.pow(x, exponent) / StrictMath.pow(w, 1 - exponent);
            highestQuotient = Math.max(highestQuotient, x / wanted[channel]);
        }
        float[] factors = new float[wanted.length];
        for (int channel = 0; channel < factors.length; channel++) {
            double factor = wanted[channel] * highestQuotient / highestInput;
            double power = Math.rint(StrictMath.log(factor) / StrictMath.log(2));
            factors[channel] = Double.isFinite(power) ? Math.scalb(1f, (int) power) : 1;
        }
        return factors;
    }

    private double error(float[] factors) {
        double low = 0;
        double high = 0;
        double energy = 0;
        for (int channel = 0; channel < factors.length; channel++) {
            low = Math.min(low, channels.min()[channel] / factors[channel]);
            high = Math.max(high, channels.max()[channel] / factors[channel]);
            energy += channels.squares()[channel] / channels.rows() / factors[channel] / factors[channel];
        }
        double step = inputStep(low, high);
        double error = 0;
        for (SmoothableInput.Reader layer : input.layers()) {
            int outputs = (int) graph.constants().get(layer.point().weight()).shape()[1 - layer.inputAxis()];
            double[] largest = new double[outputs];
            double[] squares = new double[1];
            forEachWeight(layer, (channel, output, weight) -> {
                double scaled = (double) weight * factors[channel];
                largest[output] = Math.max(largest[output], Math.abs(scaled));
                squares[0] += scaled * scaled;
            });
            error += ROUNDING_VARIANCE * (step * step * squares[0] + kernelSteps(layer, largest) * energy);
        }
        return error;
    }

    private double inputStep(double low, double high) {
        QuantizationConfig.Activations activations = settings.activations(input.quantized());
        boolean mirrored = activations.method() != QuantizationMethod.UNIFORM && low < 0;
        double range = mirrored ? 2 * Math.max(-low, high) : high - low;
        return range / ((1 << activations.bits()) - 1);
    }

    /** The sum of the squared steps of a kernel's columns; none of a kernel that stays in float. */
    private double kernelSteps(SmoothableInput.Reader layer, double[] largest) {
        if (!settings.points().contains(layer.point())) {
            return 0;
        }
        QuantizationConfig.Weights weights = settings.weights(layer.point());
        double levels = (1 << weights.bits() - 1) - 1;
        double shared = Arrays.stream(largest).max().orElse(0);
        double sum = 0;
        for (double column : largest) {
            double step = (weights.perChannel() ? column : shared) / levels;
            sum += step * step;
        }
        return sum;
    }

    private interface Visitor {
        void visit(int channel, int output, float weight);
    }

    private void forEachWeight(SmoothableInput.Reader layer, Visitor visitor) {
        TensorData kernel = graph.constants().get(layer.point().weight());
        int columns = (int) kernel.shape()[1];
        boolean rowsFirst = layer.inputAxis() == 0;
        float[] values = kernel.floats();
        for (int i = 0; i < values.length; i++) {
            int row = i / columns;
            int column = i % columns;
            visitor.visit(rowsFirst ? row : column, rowsFirst ? column : row, values[i]);
        }
    }
}
