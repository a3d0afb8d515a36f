package dev.gptq.train;

import ai.djl.Device;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.calibrate.StatisticsCollector;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.hessian.HessianScorer;
import dev.gptq.hessian.LossWeights;
import dev.gptq.hessian.ScoreSums;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.InMemory;
import dev.gptq.testing.Models;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A layer of each kind in front of a linear one: both learn their rounding, and the loss falls.
 */
class LayerKindsTest {
    private static final int SAMPLES = 32;
    private static final int EPOCHS = 15;
    private static final GradientPTQConfig CONFIG = GradientPTQConfig.defaults(EPOCHS);

    static Stream<Arguments> kinds() {
        return Stream.of(
                Arguments.of(
                        "Conv of one dimension",
                        start(6, 10).weight("w", 8, 6, 3).node("Conv", "x w", "y"),
                        Models.random(3, SAMPLES, 6, 10),
                        64),
                Arguments.of(
                        "Conv of two dimensions, in groups",
                        start(6, 5, 5).weight("w", 8, 3, 3, 3).node("Conv", "x w", "y", "group", 2),
                        Models.random(3, SAMPLES, 6, 5, 5),
                        72),
                Arguments.of(
                        "Conv of three dimensions",
                        start(2, 4, 4, 4).weight("w", 8, 2, 3, 3, 3).node("Conv", "x w", "y"),
                        Models.random(3, SAMPLES, 2, 4, 4, 4),
                        64),
                Arguments.of(
                        "ConvTranspose",
                        start(6, 3, 3)
                                .weight("w", 6, 8, 2, 2)
                                .node("ConvTranspose", "x w", "y", "strides", new long[] {2, 2}),
                        Models.random(3, SAMPLES, 6, 3, 3),
                        288),
                Arguments.of(
                        "MatMul",
                        start(8, 6).weight("w", 6, 5).node("MatMul", "x w", "y"),
                        Models.random(3, SAMPLES, 8, 6),
                        40),
                Arguments.of(
                        "MatMul with several matrices",
                        start(8, 6)
                                .longs("second", 1)
                                .node("Unsqueeze", "x second", "u")
                                .weight("w", 2, 6, 5)
                                .node("MatMul", "u w", "y"),
                        Models.random(3, SAMPLES, 8, 6),
                        80),
                Arguments.of(
                        "MatMul with the kernel first",
                        start(8, 6).weight("w", 5, 8).node("MatMul", "w x", "y"),
                        Models.random(3, SAMPLES, 8, 6),
                        30),
                Arguments.of(
                        "embedding",
                        new GraphBuilder(13)
                                .input("x", ElementType.INT64, -1, 8)
                                .weight("w", 20, 12)
                                .node("Gather", "w x", "y"),
                        TensorData.ofLongs(
                                ElementType.INT64,
                                new Random(4).longs(SAMPLES * 8, 0, 20).toArray(),
                                SAMPLES,
                                8),
                        96));
    }

    private static GraphBuilder start(long... shape) {
        long[] batched = new long[shape.length + 1];
        batched[0] = -1;
        System.arraycopy(shape, 0, batched, 1, shape.length);
        return new GraphBuilder(13).input("x", batched);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kinds")
    void everyKindOfLayerIsTrained(String name, GraphBuilder builder, TensorData input, int size) {
        Graph graph = builder.longs("flat", 0, -1)
                .node("Reshape", "y flat", "f")
                .weight("head", size, 4)
                .node("Gemm", "f head", "out")
                .build();
        QuantizationConfig config = QuantizationConfig.defaults();
        QuantizationConfig.Weights weights = config.weights();
        config = config.withWeights(new QuantizationConfig.Weights(
                3, weights.method(), true, weights.thresholdMethod(), weights.lpNorm(), null, 3));
        Graph prepared = GraphPreparation.prepare(graph, config.preparation());
        try (GraphExecutor model = new GraphExecutor(prepared, Device.cpu())) {
            SampleBatch all = new SampleBatch(0, SAMPLES, Map.of("x", input), null);
            QuantizationPlan plan = PlanBuilder.build(prepared, new StatisticsCollector(model).collect(all), config);
            GPTQHessianScoresConfig scoring = CONFIG.hessianWeightsConfig();
            double[][] scores = new HessianScorer(model, scoring, 0).score(all);
            LossWeights lossWeights = LossWeights.of(ScoreSums.of(scores, scoring), scoring);
            BatchSchedule schedule = new BatchSchedule(SAMPLES, new TrainingConfig(8, 4, 100, 2), EPOCHS, 0, true);
            RoundingTrainer trainer = new RoundingTrainer(prepared, plan, CONFIG, lossWeights, schedule.totalSteps());
            GradientComputer computer = new GradientComputer(model, plan, CONFIG, lossWeights);
            SampleSource source = (first, count) -> part(input, first, count);
            List<StepResult> steps;
            try (GradientExchange exchange =
                    new LocalGradientExchange(computer, InMemory.attention(source, scores), 1)) {
                steps = LocalTrainer.run(trainer, exchange, schedule);
            }
            List<QuantizedLayer> nearest = PlanBuilder.roundToNearest(prepared, plan);
            List<QuantizedLayer> trained = trainer.quantizedLayers();

            assertThat(trained).hasSize(2);
            for (int layer = 0; layer < trained.size(); layer++) {
                assertThat(trained.get(layer).values())
                        .isNotEqualTo(nearest.get(layer).values());
            }
            assertThat(mean(steps.subList(steps.size() - 8, steps.size()))).isLessThan(mean(steps.subList(0, 8)));
        }
    }

    private static double mean(List<StepResult> steps) {
        return steps.stream()
                .mapToDouble(StepResult::distillationLoss)
                .average()
                .orElseThrow();
    }

    private static SampleBatch part(TensorData input, long first, int count) {
        int length = input.size() / SAMPLES;
        int from = (int) first * length;
        long[] shape = input.shape();
        shape[0] = count;
        TensorData values = input.type() == ElementType.FLOAT32
                ? TensorData.ofFloats(Arrays.copyOfRange(input.floats(), from, from + count * length), shape)
                : TensorData.ofLongs(
                        input.type(), Arrays.copyOfRange(input.longs(), from, from + count * length), shape);
        return new SampleBatch(first, count, Map.of("x", values), null);
    }
}
