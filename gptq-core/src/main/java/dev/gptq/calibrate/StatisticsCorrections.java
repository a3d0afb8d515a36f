package dev.gptq.calibrate;

import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.util.List;
import java.util.Map;

/**
 * The corrections that need statistics, in MCT's order: Softmax shift, thresholds of
 * concatenations, shift of negative activations. They change the plan here; what they change in the float graph is noted in
 * {@link QuantizationPlan#corrections} and done by {@link CorrectedGraph}.
 */
public final class StatisticsCorrections {
    private StatisticsCorrections() {}

    /**
     * The plan after the corrections that the configuration switches on; for {@link CorrectedGraph#of}.
     *
     * @param plan of {@link PlanBuilder#build} for the same graph, statistics and configuration
     */
    public static QuantizationPlan apply(
            Graph prepared, BlockStatistics statistics, QuantizationPlan plan, QuantizationConfig config) {
        PreparationConfig switches = config.preparation();
        PlanEditor editor = new PlanEditor(plan);
        if (switches.softmaxShift()) {
            SoftmaxShift.apply(prepared, statistics, editor, LayerSettings.of(prepared, config));
        }
        if (switches.concatThresholdUpdate()) {
            equalizeConcatenations(prepared, editor);
        }
        if (switches.shiftNegativeActivationCorrection()) {
            new ShiftNegative(prepared, statistics, editor, config).apply();
        }
        return editor.plan();
    }

    /**
     * Gives each tensor that only one concatenation reads the concatenation's threshold, so that joining requantizes nothing
     * (MCT concat_threshold_update). Uniform grids and outputs of another concatenation stay.
     */
    private static void equalizeConcatenations(Graph graph, PlanEditor editor) {
        Map<String, List<Node>> consumers = graph.consumers();
        Map<String, Node> producers = graph.producers();
        for (Node node : graph.nodes()) {
            ActivationQuantizer joined = node.is("Concat") ? editor.activation(node.output()) : null;
            if (joined == null || joined.method() == QuantizationMethod.UNIFORM) {
                continue;
            }
            for (String input : node.inputs()) {
                ActivationQuantizer part = editor.activation(input);
                Node producer = producers.get(input);
                boolean alone = consumers.getOrDefault(input, List.of()).size() == 1 && !graph.isOutput(input);
                if (part == null
                        || part.method() == QuantizationMethod.UNIFORM
                        || !alone
                        || producer != null && producer.is("Concat")) {
                    continue;
                }
                editor.replace(
                        input,
                        new ActivationQuantizer(
                                input, part.method(), part.bits(), part.signed(), joined.threshold(), 0, 0));
            }
        }
    }
}
