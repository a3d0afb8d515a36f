package dev.gptq.calibrate;

import ai.djl.Device;
import dev.gptq.config.LayerOverride;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.testing.Closeness;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.OptimizedModel;
import dev.gptq.testing.Quantized;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class ActivationSmoothingTest {
    private static final int WIDTH = 6;
    private static final int SAMPLES = 8;
    private static final float LITTLE = 0.01f;
    private static final QuantizationConfig CONFIG = QuantizationConfig.defaults();
    private static final Map<String, TensorData> BATCH = Map.of("x", Models.random(3, SAMPLES, 5, WIDTH));

    @TempDir
    private Path folder;

    /**
     * LayerNorm with one gain a hundred times the others, as transformers learn it, read by two layers that make {@code share} of it
     * and by an operator that works on real numbers.
     */
    private static Graph transformer(float share) {
        float[] gain = {1, 1, 100, 1, 1, 1};
        GraphBuilder builder = new GraphBuilder(17)
                .input("x", -1, 5, WIDTH)
                .constant("gain", TensorData.ofFloats(gain, WIDTH))
                .weight("offset", WIDTH)
                .node("LayerNormalization", "x gain offset", "n")
                .constant("w1", kernel(1, share))
                .constant("w2", kernel(2, share))
                .node("MatMul", "n w1", "a")
                .node("MatMul", "n w2", "b")
                .node("Concat", "a b", "c", "axis", 2)
                .weight("w3", 8, WIDTH)
                .node("MatMul", "c w3", "m")
                .node("Tanh", "n", "t")
                .node("Add", "m t", "out");
        return builder.build();
    }

    private static TensorData kernel(int seed, float share) {
        float[] values = Models.random(seed, WIDTH, 4).floats();
        for (int output = 0; output < 4; output++) {
            values[2 * 4 + output] *= share;
        }
        return TensorData.ofFloats(values, WIDTH, 4);
    }

    private static Graph prepared(Graph graph) {
        return IntegerBranches.apply(GraphPreparation.prepare(graph, CONFIG.preparation()), CONFIG);
    }

    private static InputScales scales(Graph graph, QuantizationConfig config) {
        try (GraphExecutor model = new GraphExecutor(graph, Device.cpu())) {
            return new InputScalesCollector(model, config).collect(new SampleBatch(0, SAMPLES, BATCH, null));
        }
    }

    private static Map<String, float[]> factors(Graph graph) {
        return ActivationSmoothing.factors(graph, CONFIG, scales(graph, CONFIG));
    }

    @Test
    void theLargeChannelIsDividedByAPowerOfTwoAndTheOthersByLess() {
        Map<String, float[]> factors = factors(prepared(transformer(LITTLE)));

        assertThat(factors).hasSize(1);
        float[] found = factors.values().iterator().next();
        for (float factor : found) {
            assertThat(Math.scalb(1f, Math.getExponent(factor))).isEqualTo(factor);
        }
        for (int channel = 0; channel < WIDTH; channel++) {
            if (channel != 2) {
                assertThat(found[2]).isGreaterThanOrEqualTo(8 * found[channel]);
            }
        }
    }

    @Test
    void theFunctionStaysTheSameToTheLastBitAndSoDoTheLayers() {
        Graph graph = prepared(transformer(LITTLE));
        Graph smoothed = ActivationSmoothing.apply(graph, factors(graph));

        assertThat(smoothed.nodes().stream().filter(node -> SmoothedGraph.isSmoothing(smoothed, node)))
                .hasSize(1);
        assertThat(ComparePoints.of(smoothed)).isEqualTo(ComparePoints.of(graph));
        assertThat(Models.run(smoothed, BATCH).get("out").floats())
                .containsExactly(Models.run(graph, BATCH).get("out").floats());
    }

    /** The division takes the place of the branch: no more quantizers than before, and none in front of it. */
    @Test
    void theQuantizerMovesBehindTheDivision() {
        Graph graph = prepared(transformer(LITTLE));
        Graph smoothed = ActivationSmoothing.apply(graph, factors(graph));
        List<String> before = LayerSettings.of(graph, CONFIG).tensors();
        List<String> after = LayerSettings.of(smoothed, CONFIG).tensors();

        assertThat(after).containsExactlyElementsOf(before);
        Node division = smoothed.producers().get(after.get(0));
        assertThat(SmoothedGraph.isSmoothing(smoothed, division)).isTrue();
    }

    @Test
    void outputsOfIntegerKernelsLoseSeveralTimesLessByRounding() {
        QuantizationConfig smoothing = CONFIG.withPreparation(
                CONFIG.preparation().toBuilder().optActivationSmoothing(true).build());
        Quantized without = Quantized.of(transformer(LITTLE), CONFIG, BATCH);
        Quantized with = Quantized.of(transformer(LITTLE), smoothing, BATCH);

        assertThat(without.error() / with.error()).isGreaterThan(4);
        assertThat(with.agreement(1e-3)).isGreaterThan(0.97);
        assertThat(OptimizedModel.operators(with.file(), folder))
                .isEqualTo(plus(OptimizedModel.operators(without.file(), folder), "Mul"));
    }

    private static Map<String, Integer> plus(Map<String, Integer> operators, String operator) {
        Map<String, Integer> more = new HashMap<>(operators);
        more.merge(operator, 1, Integer::sum);
        return more;
    }

    @Test
    void equalChannelsAndWhatIntegerKernelsMakeOrReadOtherwiseStay() {
        Graph convolution = prepared(new GraphBuilder(17)
                .input("x", -1, 5, WIDTH)
                .weight("k", 4, 5, 3)
                .node("Conv", "x k", "c")
                .node("Relu", "c", "r")
                .longs("flat", 0, -1)
                .node("Reshape", "r flat", "f")
                .weight("w", 16, 3)
                .node("Gemm", "f w", "out")
                .build());

        assertThat(ActivationSmoothing.isPossible(convolution, CONFIG)).isFalse();
        assertThat(ActivationSmoothing.isPossible(prepared(transformer(LITTLE)), QuantizationConfig.ofPreset("imx500")))
                .isFalse();

        Graph mixed = prepared(new GraphBuilder(17)
                .input("x", -1, 5, WIDTH)
                .weight("k", 4, 5, 3)
                .weight("w", WIDTH, 3)
                .node("Conv", "x k", "c")
                .node("MatMul", "x w", "m")
                .node("Concat", "c m", "out", "axis", 2)
                .build());
        assertThat(ActivationSmoothing.isPossible(mixed, CONFIG)).isFalse();

        Graph equal = prepared(new GraphBuilder(17)
                .input("x", -1, 5, WIDTH)
                .constant("w", TensorData.ofFloats(new float[] {1, 1, 1, 1, 1, 1, -1, 1, -1, 1, -1, 1}, 2, WIDTH))
                .node("Sign", "x", "s")
                .longs("two", 0, -1, 2)
                .node("Reshape", "s two", "r")
                .node("MatMul", "r w", "out")
                .build());
        assertThat(ActivationSmoothing.isPossible(equal, CONFIG)).isTrue();
        assertThat(factors(equal)).isEmpty();
    }

    /** It sums over the other axis. */
    @Test
    void whatIsNoLayerReadsWhatItDid() {
        GraphBuilder builder = new GraphBuilder(17)
                .input("x", -1, WIDTH)
                .weight("gain", WIDTH)
                .weight("offset", WIDTH)
                .weight("w", WIDTH, 4)
                .weight("v", SAMPLES, 4)
                .node("LayerNormalization", "x gain offset", "n")
                .node("MatMul", "n w", "a")
                .node("Gemm", "n v", "b", "transA", 1)
                .node("Gemm", "a b", "out", "transB", 1);
        Graph graph = GraphPreparation.prepare(builder.build(), CONFIG.preparation());
        String tensor = SmoothableInput.of(graph, CONFIG).get(0).tensor();
        Graph smoothed = ActivationSmoothing.apply(graph, Map.of(tensor, new float[] {1, 2, 4, 8, 16, 32}));
        Map<String, TensorData> rows = Map.of("x", Models.random(3, SAMPLES, WIDTH));

        assertThat(Models.run(smoothed, rows).get("out").floats())
                .containsExactly(Models.run(graph, rows).get("out").floats());
    }

    /** A configuration that names layers, as mixed precision writes it, is checked before anything is smoothed. */
    @Test
    void quantizersKeepTheNamesThatSettingsReachThemBy() {
        Graph alone = prepared(new GraphBuilder(17)
                .input("x", -1, 5, WIDTH)
                .weight("gain", WIDTH)
                .weight("offset", WIDTH)
                .node("LayerNormalization", "x gain offset", "n")
                .longs("shape", 0, 0, 2, -1)
                .node("Reshape", "n shape", "r")
                .weight("w", 3, 4)
                .node("MatMul", "r w", "out")
                .build());
        Graph branched = prepared(transformer(LITTLE));
        for (Graph graph : List.of(alone, branched)) {
            SmoothableInput input = SmoothableInput.of(graph, CONFIG).get(0);
            float[] twos = new float
                    [graph.constants()
                                    .get(input.layers().get(0).point().weight())
                                    .size()
                            / (int) graph.constants()
                                    .get(input.layers().get(0).point().weight())
                                    .shape()[1]];
            Arrays.fill(twos, 2);
            Graph smoothed = ActivationSmoothing.apply(graph, Map.of(input.tensor(), twos));
            LayerSettings before = LayerSettings.of(graph, CONFIG);
            LayerSettings after = LayerSettings.of(smoothed, CONFIG);

            assertThat(after.tensors().stream().map(after::names))
                    .containsExactlyElementsOf(
                            before.tensors().stream().map(before::names).toList());
        }
    }

    /** Whoever gave the LayerNorm's output 16 bits still does. */
    @Test
    void settingsOfTheNodeInFrontReachTheQuantizerBehindTheDivision() {
        QuantizationConfig wide = CONFIG.withLayers(List.of(
                new LayerOverride("n", LayerOverride.Values.NONE, new LayerOverride.Values(16, null, null), null)));
        Graph graph = prepared(transformer(LITTLE));
        Graph smoothed = ActivationSmoothing.apply(graph, factors(graph));
        LayerSettings settings = LayerSettings.of(smoothed, wide);

        assertThat(settings.activations(settings.tensors().get(0)).bits()).isEqualTo(16);
    }

    /** With few bits for kernels less of the range may go there. */
    @Test
    void theFewerBitsKernelsHaveTheLessTheyTakeOver() {
        Graph graph = prepared(transformer(1));
        assertThat(spread(graph, 2)).isLessThan(spread(graph, 8));
    }

    private static double spread(Graph graph, int bits) {
        QuantizationConfig.Weights weights = CONFIG.weights();
        QuantizationConfig config = CONFIG.withWeights(new QuantizationConfig.Weights(
                bits, weights.method(), true, weights.thresholdMethod(), weights.lpNorm()));
        Map<String, float[]> factors = ActivationSmoothing.factors(graph, config, scales(graph, config));
        float[] found = factors.isEmpty()
                ? new float[] {1, 1, 1}
                : factors.values().iterator().next();
        return found[2] / found[0];
    }

    @Test
    void blocksAddUpToTheScalesOfAllSamples() {
        Graph graph = prepared(transformer(LITTLE));
        SampleBatch all = new SampleBatch(0, SAMPLES, BATCH, null);
        try (GraphExecutor model = new GraphExecutor(graph, Device.cpu())) {
            InputScalesCollector collector = new InputScalesCollector(model, CONFIG);
            String tensor = SmoothableInput.of(graph, CONFIG).get(0).tensor();
            InputScales.Channels whole = collector.collect(all).of(tensor);
            InputScales.Channels merged = collector
                    .collect(all.part(0, 3))
                    .merge(collector.collect(all.part(3, SAMPLES - 3)))
                    .of(tensor);

            assertThat(merged.rows()).isEqualTo(whole.rows()).isEqualTo(SAMPLES * 5);
            assertThat(merged.min()).containsExactly(whole.min());
            assertThat(merged.max()).containsExactly(whole.max());
            for (int channel = 0; channel < WIDTH; channel++) {
                Closeness.assertClose(
                        TensorData.ofFloats(new float[] {(float) merged.squares()[channel]}),
                        TensorData.ofFloats(new float[] {(float) whole.squares()[channel]}),
                        1e-6);
            }
        }
    }
}
