package dev.gptq.train;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class QuantizedStudentTest {
    private static final ComparePoint FC = new ComparePoint("fc", "y", "w", "b", 0);
    private static final int[] KERNEL = {3, -8, 7, 0, 1, -2};
    private static final float[] BIAS = {0.7f, -1.3f};
    private static final float[] SAMPLE = {0.3f, -2.9f, 1.11f};
    /** Steps are powers of two, so that float32 holds every product and sum exactly. */
    private static final float WEIGHT_STEP = 1f / 8;

    private static final float INPUT_STEP = 1f / 64;
    private static final float OUTPUT_STEP = 1f / 16;

    @Test
    void outputsEqualIntegerArithmetic() {
        Graph graph = new Graph(
                "fc",
                13,
                List.of(new ValueInfo("x", ElementType.FLOAT32, new long[] {-1, 3})),
                List.of(new ValueInfo("y", ElementType.FLOAT32, new long[] {-1, 2})),
                Map.of("w", TensorData.ofFloats(new float[6], 2, 3), "b", TensorData.ofFloats(new float[2], 2)),
                List.of(new Node("fc", "Gemm", List.of("x", "w", "b"), List.of("y"), Map.of("transB", 1L))));
        QuantizationPlan plan =
                new QuantizationPlan(List.of(), List.of(activation("x", INPUT_STEP), activation("y", OUTPUT_STEP)));
        QuantizationGrid grid = new QuantizationGrid(-1, new float[] {WEIGHT_STEP}, new int[1], -8, 7);
        QuantizedLayer layer = new QuantizedLayer(FC, grid, KERNEL, BIAS);

        float[] raw = new float[2];
        float[] quantized = new float[2];
        for (int c = 0; c < 2; c++) {
            long sum = (long) Math.rint(BIAS[c] / (INPUT_STEP * WEIGHT_STEP));
            for (int i = 0; i < 3; i++) {
                long input = (long) Math.max(-128, Math.min(127, Math.rint(SAMPLE[i] / INPUT_STEP)));
                sum += input * KERNEL[3 * c + i];
            }
            raw[c] = sum * INPUT_STEP * WEIGHT_STEP;
            quantized[c] = (float) Math.max(-128, Math.min(127, Math.rint(raw[c] / OUTPUT_STEP))) * OUTPUT_STEP;
        }

        SampleBatch batch = new SampleBatch(0, 1, Map.of("x", TensorData.ofFloats(SAMPLE, 1, 3)), null);
        try (GraphExecutor model = new GraphExecutor(graph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            StudentOutputs outputs = new QuantizedStudent(model, plan, List.of(layer)).run(scope, batch);
            assertThat(outputs.comparePoints().get("y").toFloatArray()).containsExactly(raw);
            assertThat(outputs.outputs().get("y").toFloatArray()).containsExactly(quantized);
        }
    }

    private static ActivationQuantizer activation(String tensor, float step) {
        return new ActivationQuantizer(tensor, QuantizationMethod.POWER_OF_TWO, 8, true, 128 * step, 0, 0);
    }
}
