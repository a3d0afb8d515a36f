package dev.gptq.spark.run;

import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.graph.ComparePoint;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class PlanFileTest {
    @Test
    void aPlanComesBackWithTheSameBits() {
        ComparePoint point = new ComparePoint("/conv.0/Conv", "out", "w", "b", 0);
        double[] thresholds = {Math.nextUp(0.1), Double.MIN_VALUE, 1.0 / 3};
        QuantizationPlan plan = new QuantizationPlan(
                List.of(new WeightQuantizer(
                        point, QuantizationMethod.SYMMETRIC, 2, 0, thresholds, null, null, new double[] {-0.0})),
                List.of(new ActivationQuantizer("in", QuantizationMethod.UNIFORM, 8, false, 0, -1.0 / 7, 1e-300)));

        QuantizationPlan read = PlanFile.fromJson(PlanFile.toJson(plan));

        assertThat(read.activations()).isEqualTo(plan.activations());
        WeightQuantizer weights = read.weights().get(0);
        assertThat(weights.point()).isEqualTo(point);
        assertThat(weights.threshold()).isEqualTo(thresholds);
        assertThat(weights.rangeMin()).isNull();
        assertThat(Double.doubleToRawLongBits(weights.biasCorrection()[0])).isEqualTo(Long.MIN_VALUE);
    }
}
