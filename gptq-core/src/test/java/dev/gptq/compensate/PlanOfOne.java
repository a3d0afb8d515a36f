package dev.gptq.compensate;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import java.util.List;

/** Plans for models of one layer. */
final class PlanOfOne {
    private PlanOfOne() {}

    /** One threshold for all of the kernel. */
    static QuantizationPlan symmetric(Graph graph, int bits, double threshold) {
        return new QuantizationPlan(
                List.of(new WeightQuantizer(
                        ComparePoints.of(graph).get(0),
                        QuantizationMethod.SYMMETRIC,
                        bits,
                        -1,
                        new double[] {threshold},
                        null,
                        null,
                        null)),
                List.of());
    }
}
