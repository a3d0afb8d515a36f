package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** The operator that CONTRIBUTING.md adds. */
class ContributedOperatorTest {
    private static final float ALPHA = 1.5f;

    // example: operator
    /** Swish of opset 24: x sigmoid(alpha x). */
    private static NDArray swish(Call call) {
        NDArray scaled = call.times(call.x(), call.node().real("alpha", 1));
        return call.x().mul(scaled.getNDArrayInternal().sigmoid());
    }
    // end

    @Test
    void valuesFollowTheFormulaAndTheGradientFollowsTheValues() {
        float[] x = {-3, -0.5f, 0, 0.25f, 2};
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray input = Autograd.leaf(Engines.toArray(scope, TensorData.ofFloats(x, x.length)));

            NDArray output = swish(call(scope, input));
            float[] gradient = Autograd.gradients(List.of(output), List.of(output.onesLike()), List.of(input), false)
                    .get(0)
                    .toFloatArray();

            float[] values = output.toFloatArray();
            double step = 1e-4;
            for (int i = 0; i < x.length; i++) {
                double slope = (formula(x[i] + step) - formula(x[i] - step)) / (2 * step);
                assertThat((double) values[i]).isCloseTo(formula(x[i]), within(1e-6));
                assertThat((double) gradient[i]).isCloseTo(slope, within(1e-5));
            }
        }
    }

    private static double formula(double x) {
        return x / (1 + Math.exp(-ALPHA * x));
    }

    private static Call call(NDManager scope, NDArray input) {
        Node node = new Node("swish", "Swish", List.of("x"), List.of("y"), Map.of("alpha", ALPHA));
        return new Call(scope, node, new NDArray[] {input}, new TensorData[1]);
    }
}
