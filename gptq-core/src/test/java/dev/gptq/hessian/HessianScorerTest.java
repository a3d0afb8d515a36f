package dev.gptq.hessian;

import ai.djl.Device;
import dev.gptq.GptqException;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.PreparationConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.testing.CalibrationImages;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.Npz;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class HessianScorerTest {
    private static final Npz ORACLE = Npz.resource("/oracle/m1_hessian.npz");
    private static final String[] LAYERS = {"conv1_bn", "conv2_bn", "conv3_bn", "conv4_bn", "fc"};
    private static final GPTQHessianScoresConfig PER_TENSOR =
            new GPTQHessianScoresConfig(false, 32, null, null, false, 32);
    private static final GPTQHessianScoresConfig ATTENTION =
            new GPTQHessianScoresConfig(true, null, null, null, false, 32);
    private static final int EXACT_SAMPLES = 16;
    private static final double TOLERANCE = 1e-4;

    /** Two standard deviations of the sum of the 64 * 9 products behind a gradient of m1, each rounded to 24 bits. */
    private static final double GRADIENT_ERROR = 2 * Math.sqrt(64 * 9) / (1 << 24);

    private static GraphExecutor model;

    @BeforeAll
    static void open() {
        model = new GraphExecutor(
                GraphPreparation.prepare(OnnxReader.read(Models.bytes("m1_bn"), "m1_bn"), PreparationConfig.defaults()),
                Device.cpu());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void tensorScoresEqualTheExactExpectation() {
        double[][] scores = new HessianScorer(model, PER_TENSOR, 0).score(CalibrationImages.batch(0, EXACT_SAMPLES));
        for (int layer = 0; layer < LAYERS.length; layer++) {
            double[] expected = ORACLE.doubles("tensor|exact|" + LAYERS[layer]);
            for (int sample = 0; sample < EXACT_SAMPLES; sample++) {
                assertClose(scores[sample][layer], expected[sample]);
            }
        }
    }

    @Test
    void channelScoresEqualTheExactExpectation() {
        double[][][] scores =
                new HessianScorer(model, ATTENTION, 0).channelScores(CalibrationImages.batch(0, EXACT_SAMPLES));
        for (int layer = 0; layer < LAYERS.length; layer++) {
            double[] expected = ORACLE.doubles("channel|exact|" + LAYERS[layer]);
            int channels = expected.length / EXACT_SAMPLES;
            double largest = Arrays.stream(expected).max().orElseThrow();
            for (int i = 0; i < expected.length; i++) {
                // Scores are mean squares of float32 gradients, whose rounding errors have the size of the layer's
                // gradients,
                // not of their own: so roots are compared, of which half the relative tolerance is allowed.
                double root = Math.sqrt(expected[i]);
                assertThat(Math.sqrt(scores[layer][i / channels][i % channels]))
                        .as("channel %d of %s", i % channels, LAYERS[layer])
                        .isCloseTo(root, Offset.offset(TOLERANCE / 2 * root + GRADIENT_ERROR * Math.sqrt(largest)));
            }
        }
    }

    @Test
    void anOutputOfDoublesGivesTheScoresOfFloats() {
        assertThat(scoresOfOutput(ElementType.FLOAT64)).isDeepEqualTo(scoresOfOutput(ElementType.FLOAT32));
    }

    private static double[][] scoresOfOutput(ElementType type) {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 3)
                .weight("w", 3, 4)
                .weight("v", 4, 2)
                .node("MatMul", "x w", "h")
                .node("Relu", "h", "r")
                .node("MatMul", "r v", "y")
                .node("Cast", "y", "out", "to", type.onnxCode())
                .output("out", type)
                .build();
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu())) {
            SampleBatch batch = new SampleBatch(0, 5, Map.of("x", Models.random(9, 5, 3)), null);
            double[][] scores = new HessianScorer(executor, PER_TENSOR, 0).score(batch);
            assertThat(scores[0][0]).isPositive();
            return scores;
        }
    }

    @Test
    void attentionIsTheLargestChannelScore() {
        HessianScorer scorer = new HessianScorer(model, ATTENTION, 0);
        SampleBatch batch = CalibrationImages.batch(0, 8);
        double[][] attention = scorer.score(batch);
        double[][][] channels = scorer.channelScores(batch);
        for (int sample = 0; sample < batch.size(); sample++) {
            for (int layer = 0; layer < LAYERS.length; layer++) {
                assertThat(attention[sample][layer])
                        .isEqualTo(Arrays.stream(channels[layer][sample]).max().orElseThrow());
            }
        }
    }

    @Test
    void aSamplesScoreDoesNotDependOnItsBatch() {
        HessianScorer scorer = new HessianScorer(model, PER_TENSOR, 0);
        double[][] together = scorer.score(CalibrationImages.batch(0, 8));
        double[][] apart = scorer.score(CalibrationImages.batch(4, 4));
        for (int sample = 0; sample < apart.length; sample++) {
            for (int layer = 0; layer < LAYERS.length; layer++) {
                assertClose(apart[sample][layer], together[sample + 4][layer]);
            }
        }
    }

    @Test
    void repeatedScoringGivesTheSameBits() {
        HessianScorer scorer = new HessianScorer(model, ATTENTION, 0);
        SampleBatch batch = CalibrationImages.batch(0, 8);
        assertThat(scorer.score(batch)).isDeepEqualTo(scorer.score(batch));
    }

    /**
     * y = x W with 128 outputs and independent weights: each score of the layer itself is exactly 1 per output, and that of
     * the layer before is the squared norm of v W^T, whose expectation is the squared norm of W.
     */
    @Test
    void randomVectorsComeWithinTheirSamplingErrorOfTheExpectation() {
        int hidden = 16;
        int outputs = OutputPasses.ITERATIONS + 28;
        TensorData first = Models.random(1, 4, hidden);
        TensorData second = Models.random(2, hidden, outputs);
        double expected = 0;
        for (float weight : second.floats()) {
            expected += (double) weight * weight;
        }
        Graph graph = new Graph(
                "linear",
                13,
                List.of(new ValueInfo("x", ElementType.FLOAT32, new long[] {-1, 4})),
                List.of(new ValueInfo("y", ElementType.FLOAT32, new long[] {-1, outputs})),
                Map.of("w1", first, "w2", second),
                List.of(
                        new Node("first", "MatMul", List.of("x", "w1"), List.of("h"), Map.of()),
                        new Node("second", "MatMul", List.of("h", "w2"), List.of("y"), Map.of())));
        try (GraphExecutor linear = new GraphExecutor(graph, Device.cpu())) {
            int samples = 32;
            SampleBatch batch = new SampleBatch(0, samples, Map.of("x", Models.random(3, samples, 4)), null);
            double[][] perTensor = new HessianScorer(linear, PER_TENSOR, 7).score(batch);
            double[][][] channels = new HessianScorer(linear, ATTENTION, 7).channelScores(batch);
            double mean = Arrays.stream(perTensor)
                    .mapToDouble(row -> row[0])
                    .average()
                    .orElseThrow();
            // Of one sample and vector the squared norm deviates by about sqrt(2 / hidden) of its mean.
            double deviation = expected * Math.sqrt(2.0 / hidden / samples / 10);
            assertThat(mean).isCloseTo(expected, Offset.offset(4 * deviation));
            for (int sample = 0; sample < samples; sample++) {
                assertThat(perTensor[sample][1]).isCloseTo(outputs, Offset.offset(1e-3));
                double total = Arrays.stream(channels[0][sample]).sum();
                double sampleDeviation = expected * Math.sqrt(2.0 / hidden / OutputPasses.ITERATIONS);
                assertThat(total).isCloseTo(expected, Offset.offset(5 * sampleDeviation));
            }
            double[][] otherSeed = new HessianScorer(linear, PER_TENSOR, 8).score(batch);
            assertThat(otherSeed[0][0]).isNotEqualTo(perTensor[0][0]);
        }
    }

    @Test
    void aGradientThatIsNotFiniteNamesLayerAndSample() {
        SampleBatch good = CalibrationImages.batch(0, 2);
        float[] values = good.inputs().get("input").floats().clone();
        values[28 * 28 + 5] = Float.NaN;
        SampleBatch bad = new SampleBatch(10, 2, Map.of("input", TensorData.ofFloats(values, 2, 1, 28, 28)), null);
        Graph squared = new Graph(
                "squared",
                13,
                List.of(new ValueInfo("input", ElementType.FLOAT32, new long[] {-1, 1, 28, 28})),
                List.of(new ValueInfo("y", ElementType.FLOAT32, new long[] {-1, 2})),
                Map.of(
                        "w",
                        Models.random(4, 784, 2),
                        "shape",
                        TensorData.ofLongs(ElementType.INT64, new long[] {-1, 784}, 2)),
                List.of(
                        new Node("reshape", "Reshape", List.of("input", "shape"), List.of("r"), Map.of()),
                        new Node("layer", "MatMul", List.of("r", "w"), List.of("m"), Map.of()),
                        new Node("square", "Mul", List.of("m", "m"), List.of("y"), Map.of())));
        try (GraphExecutor executor = new GraphExecutor(squared, Device.cpu())) {
            HessianScorer scorer = new HessianScorer(executor, PER_TENSOR, 0);
            assertThatThrownBy(() -> scorer.score(bad))
                    .isInstanceOf(GptqException.class)
                    .hasMessageContaining("layer")
                    .hasMessageContaining("sample 11");
        }
    }

    private static void assertClose(double actual, double expected) {
        assertThat(actual).isCloseTo(expected, Offset.offset(TOLERANCE * Math.abs(expected)));
    }
}
