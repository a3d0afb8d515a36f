package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Channels of an activation that are much larger than others leave those few steps of the grid that they share. Where only
 * linear layers read the grid, each channel j is divided by a factor s_j and its row of the kernels multiplied with it
 * (SmoothQuant, Xiao et al. 2023): s_j = max |x_j|^a / max |W_j|^(1 - a), rounded to a power of two, which leaves the float
 * model as it is, bit for bit. The division is an operator of its own behind what makes the activation.
 *
 * <p>a is chosen for each activation, from 0 to 1 in steps of 0.05, by the error that it leads one to expect of the layers'
 * outputs: with steps d of the grids, d_x^2 / 12 sum |s W|^2 for the activation and d_W^2 / 12 sum E[x^2] / s^2 for the
 * kernels. Where that gains little, the activation stays.
 */
public final class ActivationSmoothing {
    private static final int EXPONENTS = 20;
    /** The most that may be left of the expected error: the division takes time. */
    private static final double WORTH = 0.9;
    /** Channels that are smaller than this share of the largest count as so small. */
    private static final double FLOOR = 1e-5;

    private static final double ROUNDING_VARIANCE = 1.0 / 12;

    private ActivationSmoothing() {}

    /** Whether there is anything to smooth in a prepared graph. */
    public static boolean isPossible(Graph prepared, QuantizationConfig config) {
        return !SmoothableInput.of(prepared, config).isEmpty();
    }

    /**
     * Factors by the name of the tensor that is divided; only of those that gain by it.
     *
     * @param scales of all calibration samples
     */
    public static Map<String, float[]> factors(Graph prepared, QuantizationConfig config, InputScales scales) {
        LayerSettings settings = LayerSettings.of(prepared, config);
        Map<String, float[]> factors = new LinkedHashMap<>();
        for (SmoothableInput input : SmoothableInput.of(prepared, config)) {
            float[] chosen = new Choice(prepared, settings, input, scales.of(input.tensor())).factors();
            if (chosen != null) {
                factors.put(input.tensor(), chosen);
            }
        }
        return factors;
    }

    /** The prepared graph with these divisions; its compare points have the same names and values. */
    public static Graph apply(Graph prepared, Map<String, float[]> factors) {
        return factors.isEmpty()
                ? prepared
                : SmoothedGraph.of(prepared, factors).graph();
    }

    /** Of the factors of one activation. */
    private static final class Choice {
        private final Graph graph;
        private final LayerSettings settings;
        private final SmoothableInput input;
        private final InputScales.Channels channels;
        private final double[] largestInput;
        private final double[] largestWeight;

        Choice(Graph graph, LayerSettings settings, SmoothableInput input, InputScales.Channels channels) {
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
                int outputs =
                        (int) graph.constants().get(layer.point().weight()).shape()[1 - layer.inputAxis()];
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
}
