package dev.gptq.calibrate;

import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.Names;
import java.util.Arrays;
import java.util.Map;

/**
 * Shift-negative correction (MCT shift_negative_activation). A symmetric grid for an activation whose few negative values are
 * small wastes its negative half: where |min| / t is at most the configured ratio, the smallest point of the unsigned grid of
 * threshold t that covers min is added, the sum is quantized on that grid, and the layer behind takes the shift out of its
 * bias. The activation itself stays unquantized (MCT: 16 bits). HardSwish, also written as x * HardSigmoid(x), and SiLU,
 * written as x * Sigmoid(x).
 *
 * <p>Averages on the way to the layer get an unsigned grid with a threshold chosen for the shifted values (MCT keeps their
 * threshold).
 */
final class ShiftNegative {
    private static final double SQUARE = 2;

    private final Graph graph;
    private final BlockStatistics statistics;
    private final PlanEditor editor;
    private final QuantizationConfig.Activations activations;
    private final LayerSettings settings;
    private final PreparationConfig preparation;
    private final Map<String, Node> producers;
    private final Names names;

    ShiftNegative(Graph graph, BlockStatistics statistics, PlanEditor editor, QuantizationConfig config) {
        this.graph = graph;
        this.statistics = statistics;
        this.editor = editor;
        this.activations = config.activations();
        this.settings = LayerSettings.of(graph, config);
        this.preparation = config.preparation();
        this.producers = graph.producers();
        this.names = Names.ofTensors(graph);
    }

    /** Nothing happens where all grids have to be signed. */
    void apply() {
        if (Boolean.TRUE.equals(activations.signed())) {
            return;
        }
        for (Node node : graph.nodes()) {
            if (isNonLinear(node)) {
                correct(node.output());
            }
        }
    }

    private boolean isNonLinear(Node node) {
        return node.is("HardSwish")
                || node.is("Mul") && (isGate(node.input(1), node.input(0)) || isGate(node.input(0), node.input(1)));
    }

    /** Whether {@code gate} is a sigmoid of {@code tensor}. */
    private boolean isGate(String gate, String tensor) {
        Node producer = producers.get(gate);
        return producer != null
                && (producer.is("Sigmoid") || producer.is("HardSigmoid"))
                && producer.input(0).equals(tensor);
    }

    private void correct(String tensor) {
        ActivationQuantizer quantizer = editor.activation(tensor);
        if (quantizer == null || quantizer.method() == QuantizationMethod.UNIFORM) {
            return;
        }
        Histogram observed = statistics.activations().get(tensor).histogram();
        double negative = -observed.min();
        if (negative <= 0 || negative / quantizer.threshold() > preparation.shiftNegativeRatio()) {
            return;
        }
        ShiftPath path = ShiftPath.from(graph, tensor);
        if (path == null) {
            return;
        }
        Shift shift = preparation.shiftNegativeParamsSearch()
                ? searched(quantizer, observed.view().withoutOutliers(activations.zThreshold()))
                : covering(quantizer, negative);
        if (shift == null) {
            return;
        }
        if (shift.value() == 0) {
            // The search may find that cutting negative values off is best.
            editor.replace(tensor, unsigned(tensor, quantizer, shift.threshold()));
            return;
        }
        String shifted = names.fresh(tensor + "_shifted");
        editor.replace(tensor, unsigned(shifted, quantizer, shift.threshold()));
        for (Node node : path.bypassed()) {
            ActivationQuantizer average = editor.activation(node.output());
            if (average != null) {
                HistogramView values =
                        statistics.activations().get(node.output()).histogram().view();
                editor.replace(
                        node.output(),
                        ActivationThresholds.chooseAgain(
                                average, values.shifted(shift.value()), false, settings.activations(average.tensor())));
            }
        }
        correctBiasTerm(path, shift.value());
        editor.correct(new GraphCorrection(
                GraphCorrection.Kind.SHIFT_NEGATIVE, path.point().name(), tensor, shifted, shift.value()));
    }

    /** The smallest grid point that makes the minimum positive, or null when the grid has none. */
    private static Shift covering(ActivationQuantizer quantizer, double negative) {
        QuantizationGrid grid =
                unsigned(quantizer.tensor(), quantizer, quantizer.threshold()).grid();
        int point = (int) Math.ceil(negative / grid.scale()[0]);
        return point > grid.maximum() ? null : new Shift(quantizer.threshold(), grid.scale()[0] * point);
    }

    /** Threshold (t or 2t) and grid point with the least squared error on the shifted histogram; the first of equals. */
    private static Shift searched(ActivationQuantizer quantizer, HistogramView histogram) {
        Shift best = null;
        double least = Double.POSITIVE_INFINITY;
        for (double threshold : new double[] {quantizer.threshold(), 2 * quantizer.threshold()}) {
            QuantizationGrid grid =
                    unsigned(quantizer.tensor(), quantizer, threshold).grid();
            for (int point = 0; point <= grid.maximum(); point++) {
                float shift = grid.scale()[0] * point;
                double error = QuantizationError.ofHistogram(
                                histogram.shifted(shift), ThresholdMethod.MSE, SQUARE, quantizer.bits(), false)
                        .symmetric(threshold);
                if (error < least) {
                    least = error;
                    best = new Shift(threshold, shift);
                }
            }
        }
        return best;
    }

    private static ActivationQuantizer unsigned(String tensor, ActivationQuantizer original, double threshold) {
        return new ActivationQuantizer(tensor, original.method(), original.bits(), false, threshold, 0, 0);
    }

    /** The rounding error of the kernel meets inputs whose mean is higher by the shift. */
    private void correctBiasTerm(ShiftPath path, float shift) {
        ComparePoint point = path.point();
        WeightQuantizer quantizer = editor.weight(point.name());
        double[] term = quantizer == null ? null : quantizer.biasCorrection();
        if (term == null) {
            return;
        }
        TensorData kernel = graph.constants().get(point.weight());
        QuantizationGrid grid = quantizer.grid();
        float[] rounded = grid.dequantize(grid.quantize(kernel.floats(), kernel.shape()), kernel.shape());
        double[] added = BiasCorrection.ofConstant(path.layer(), kernel, rounded, shift);
        double[] corrected = Arrays.copyOf(term, term.length);
        for (int channel = 0; channel < corrected.length; channel++) {
            corrected[channel] += added[channel];
        }
        editor.replace(quantizer.withBiasCorrection(corrected));
    }

    private record Shift(double threshold, float value) {}
}
