package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.util.List;
import java.util.Map;

/**
 * Centres the output range of a layer directly before a Softmax: bias += -(max + min) / 2 (MCT softmax_shift), which changes no
 * probability. The threshold is chosen anew for the centred values (MCT keeps the old one, which may not fit them).
 */
final class SoftmaxShift {
    private SoftmaxShift() {}

    /** Applies to layers with a bias whose output nothing but the Softmax reads. */
    static void apply(Graph graph, BlockStatistics statistics, PlanEditor editor, LayerSettings settings) {
        Map<String, List<Node>> consumers = graph.consumers();
        for (ComparePoint point : ComparePoints.of(graph)) {
            String tensor = point.output();
            List<Node> readers = consumers.getOrDefault(tensor, List.of());
            ActivationQuantizer quantizer = editor.activation(tensor);
            if (point.bias() == null
                    || quantizer == null
                    || graph.isOutput(tensor)
                    || readers.size() != 1
                    || !readers.get(0).is("Softmax")) {
                continue;
            }
            Histogram histogram = statistics.activations().get(tensor).histogram();
            float shift = -(histogram.max() + histogram.min()) / 2;
            if (shift == 0) {
                continue;
            }
            QuantizationConfig.Activations config = settings.activations(tensor);
            HistogramView shifted = histogram.view().shifted(shift);
            editor.replace(tensor, ActivationThresholds.chooseAgain(quantizer, shifted, config.signed(), config));
            editor.correct(
                    new GraphCorrection(GraphCorrection.Kind.SOFTMAX_SHIFT, point.name(), tensor, tensor, shift));
        }
    }
}
