package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.Quantized;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

class MasksTest {
    private static final List<String> PRESETS = List.of("onnxruntime", "imx500", "tensorrt");

    /** Preset, what is done to the scores p so that they become s, the tensors of masks. */
    static Stream<Arguments> masks() {
        return PRESETS.stream()
                .flatMap(preset -> Stream.of(
                        mask(preset, "lowest float, added", "s", b -> lower(b, -Float.MAX_VALUE)
                                .node("Add", "p causal", "s")),
                        mask(preset, "-1e9, added", "s", b -> lower(b, -1e9f).node("Add", "p causal", "s")),
                        mask(preset, "-1e9, chosen", "s", b -> b.input("m", ElementType.INT64, -1, 5)
                                .scalar("low", -1e9f)
                                .node("Where", positions(b) + " p low", "s")),
                        mask(preset, "-10000 times one minus the mask", "n k s", b -> b.input(
                                        "m", ElementType.INT64, -1, 5)
                                .longs("axis", 1)
                                .scalar("one", 1)
                                .scalar("low", -10000)
                                .node("Unsqueeze", "m axis", "u")
                                .node("Cast", "u", "r", "to", 1)
                                .node("Sub", "one r", "n")
                                .node("Mul", "n low", "k")
                                .node("Add", "p k", "s"))));
    }

    private static Arguments mask(String preset, String name, String tensors, UnaryOperator<GraphBuilder> form) {
        return Arguments.of(preset, name, tensors, form);
    }

    /** Scores that something reads besides the Softmax, so that they are no part of a unit. */
    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("masks")
    void noTargetQuantizesAMask(String preset, String name, String tensors, UnaryOperator<GraphBuilder> form) {
        GraphBuilder builder = new GraphBuilder(13)
                .input("x", -1, 5, 6)
                .weight("wq", 6, 6)
                .weight("wk", 6, 6)
                .weight("wo", 6, 6)
                .node("MatMul", "x wq", "q")
                .node("MatMul", "x wk", "kk")
                .node("Transpose", "kk", "kt", "perm", new long[] {0, 2, 1})
                .node("MatMul", "q kt", "p");
        form.apply(builder)
                .node("Softmax", "s", "weights")
                .longs("last", 2)
                .node("ReduceMax", "s", "top", "axes", new long[] {-1}, "keepdims", 1)
                .node("Tanh", "top", "limited")
                .node("MatMul", "weights q", "z")
                .node("Mul", "z limited", "gated")
                .node("MatMul", "gated wo", "out");
        Map<String, TensorData> batch = new HashMap<>(Map.of("x", Models.random(9, 4, 5, 6)));
        long[] kept = new long[20];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = i % 5 < 3 + i / 10 ? 1 : 0;
        }
        batch.put("m", TensorData.ofLongs(ElementType.INT64, kept, 4, 5));
        Graph graph = builder.build();
        batch.keySet().removeIf(input -> graph.inputs().stream()
                .noneMatch(known -> known.name().equals(input)));

        Quantized quantized = Quantized.of(graph, QuantizationConfig.ofPreset(preset), batch);

        assertThat(quantized.activations()).doesNotContain(tensors.split(" ")).contains("q", "p", "weights", "z");
        assertThat(quantized.error()).isLessThan(0.02);
    }

    private static GraphBuilder lower(GraphBuilder builder, float low) {
        float[] values = new float[25];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 5 > i / 5 ? low : 0;
        }
        return builder.constant("causal", TensorData.ofFloats(values, 5, 5));
    }

    private static String positions(GraphBuilder builder) {
        builder.longs("axis", 1)
                .node("Unsqueeze", "m axis", "u")
                .node("Cast", "u", "kept", "to", ElementType.BOOL.onnxCode());
        return "kept";
    }
}
