package dev.gptq.testing;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.TensorData;

import static org.assertj.core.api.Assertions.assertThat;

/** Compares tensors. */
public final class Closeness {
    private Closeness() {}

    /** Same type and shape; integers equal, floats within {@code tolerance} of the largest expected magnitude. */
    public static void assertClose(TensorData actual, TensorData expected, double tolerance) {
        assertThat(actual.type()).isEqualTo(expected.type());
        assertThat(actual.shape()).isEqualTo(expected.shape());
        if (expected.type() != ElementType.FLOAT32) {
            assertThat(actual.longs()).isEqualTo(expected.longs());
            return;
        }
        double largest = 0;
        double worst = 0;
        for (int i = 0; i < expected.size(); i++) {
            double difference = Math.abs(actual.floats()[i] - expected.floats()[i]);
            largest = Math.max(largest, Math.abs(expected.floats()[i]));
            // Not Math.max: a NaN must fail.
            worst = difference <= worst ? worst : difference;
        }
        assertThat(worst).isLessThanOrEqualTo(tolerance * Math.max(largest, Float.MIN_NORMAL));
    }
}
