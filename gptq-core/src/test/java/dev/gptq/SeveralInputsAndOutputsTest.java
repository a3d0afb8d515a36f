package dev.gptq;

import ai.djl.Device;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.calibrate.StatisticsCollector;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.PreparationConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.evaluate.BlockMetrics;
import dev.gptq.evaluate.FloatModelCheck;
import dev.gptq.evaluate.ModelEvaluator;
import dev.gptq.export.QdqExporter;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.hessian.HessianScorer;
import dev.gptq.hessian.LossWeights;
import dev.gptq.hessian.ScoreSums;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.Closeness;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.InMemory;
import dev.gptq.testing.Models;
import dev.gptq.testing.OnnxRuntime;
import dev.gptq.train.BatchSchedule;
import dev.gptq.train.GradientComputer;
import dev.gptq.train.GradientExchange;
import dev.gptq.train.LaneGradient;
import dev.gptq.train.LocalGradientExchange;
import dev.gptq.train.LocalTrainer;
import dev.gptq.train.ParameterLayout;
import dev.gptq.train.RoundingTrainer;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A model with an image and a token input, a feature map (raw output of a layer) and classes as outputs, and one kernel
 * that two layers share, taken through all stages.
 */
class SeveralInputsAndOutputsTest {
    private static final int SAMPLES = 32;
    private static final int MAP_SIZE = 4 * 3 * 3;
    private static final int CLASSES = 3;
    private static final int VOCABULARY = 7;
    private static final int TOKENS = 5;
    private static final GPTQHessianScoresConfig PER_TENSOR =
            GPTQHessianScoresConfig.builder().setPerSample(false).build();
    private static final GradientPTQConfig CONFIG = GradientPTQConfig.defaults(20);

    private static byte[] file;
    private static Graph prepared;
    private static GraphExecutor model;
    private static QuantizationPlan plan;

    @BeforeAll
    static void prepare() {
        file = OnnxWriter.write(graph().build());
        prepared = GraphPreparation.prepare(OnnxReader.read(file, "several"), PreparationConfig.defaults());
        model = new GraphExecutor(prepared, Device.cpu());
        QuantizationConfig config = QuantizationConfig.ofPreset("imx500");
        QuantizationConfig.Weights weights = config.weights();
        config = config.withWeights(
                new QuantizationConfig.Weights(3, weights.method(), true, weights.thresholdMethod(), weights.lpNorm()));
        plan = PlanBuilder.build(prepared, new StatisticsCollector(model).collect(batch(0, SAMPLES)), config);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static GraphBuilder graph() {
        return new GraphBuilder(13)
                .input("image", -1, 2, 3, 3)
                .input("tokens", ElementType.INT64, -1, TOKENS)
                .weight("kernel", 4, 2, 3, 3)
                .weight("kernel_bias", 4)
                .weight("embedding", VOCABULARY, 4)
                .weight("shared", 4, 4)
                .weight("head", 4, CLASSES)
                .weight("head_bias", CLASSES)
                .node("Conv", "image kernel kernel_bias", "map", "pads", new long[] {1, 1, 1, 1})
                .node("Relu", "map", "relu")
                .node("GlobalAveragePool", "relu", "pool")
                .node("Flatten", "pool", "flat")
                .node("MatMul", "flat shared", "seen")
                .node("Gather", "embedding tokens", "embedded")
                .node("MatMul", "embedded shared", "read")
                .node("ReduceMean", "read", "context", "axes", new long[] {1}, "keepdims", 0)
                .node("Add", "seen context", "sum")
                .node("Gemm", "sum head head_bias", "classes")
                .output("map", ElementType.FLOAT32)
                .output("classes", ElementType.FLOAT32);
    }

    private static SampleBatch batch(long first, int size) {
        float[] pixels =
                Arrays.copyOfRange(Models.random(1, SAMPLES, 18).floats(), (int) first * 18, ((int) first + size) * 18);
        Random random = new Random(2);
        long[] tokens = random.longs((long) SAMPLES * TOKENS, 0, VOCABULARY).toArray();
        return new SampleBatch(
                first,
                size,
                Map.of(
                        "image",
                        TensorData.ofFloats(pixels, size, 2, 3, 3),
                        "tokens",
                        TensorData.ofLongs(
                                ElementType.INT64,
                                Arrays.copyOfRange(tokens, (int) first * TOKENS, ((int) first + size) * TOKENS),
                                size,
                                TOKENS)),
                null);
    }

    @Test
    void theReaderAndThePreparationKeepTheFunction() {
        Map<String, TensorData> inputs = batch(0, 8).inputs();
        Map<String, TensorData> expected = OnnxRuntime.run(file, inputs);
        Map<String, TensorData> actual = Models.run(prepared, inputs);
        assertThat(actual).containsOnlyKeys("map", "classes");
        actual.forEach((name, value) -> Closeness.assertClose(value, expected.get(name), 1e-5));
        FloatModelCheck.check(OnnxModel.of(file), model, batch(0, 8));
    }

    @Test
    void eachLayerOfASharedKernelIsAComparePointWithItsOwnKernel() {
        List<ComparePoint> points = ComparePoints.of(prepared);
        assertThat(points).extracting(ComparePoint::output).contains("map", "classes");
        assertThat(points).extracting(ComparePoint::name).containsExactly("map", "seen", "embedded", "read", "classes");
        assertThat(points.get(1).weight()).isNotEqualTo(points.get(3).weight());
        assertThat(prepared.constants().get(points.get(1).weight()).floats())
                .isEqualTo(prepared.constants().get(points.get(3).weight()).floats());
    }

    @Test
    void integersGetNoQuantizerAndBothOutputsDo() {
        assertThat(plan.activations())
                .extracting(quantizer -> quantizer.tensor())
                .contains("image", "map", "embedded", "classes")
                .doesNotContain("tokens");
    }

    /** An output layer's own score is its number of outputs; scores over both outputs are sums over each. */
    @Test
    void hessianScoresSumOverAllOutputs() {
        double[][] both = new HessianScorer(model, PER_TENSOR, 0).score(batch(0, 8));
        double[][] classes = scoresOf("classes");
        double[][] map = scoresOf("map");
        for (int sample = 0; sample < both.length; sample++) {
            assertThat(map[sample][0]).isCloseTo(MAP_SIZE, Offset.offset(1e-4));
            assertThat(both[sample][0]).isCloseTo(MAP_SIZE + classes[sample][0], Offset.offset(1e-4 * both[sample][0]));
            assertThat(both[sample][1]).isCloseTo(classes[sample][1], Offset.offset(1e-4 * both[sample][1]));
            assertThat(both[sample][4]).isCloseTo(CLASSES, Offset.offset(1e-4));
        }
    }

    /** Scores of the same layers for the model with one of its outputs. */
    private static double[][] scoresOf(String output) {
        Graph one = new Graph(
                prepared.name(),
                prepared.opset(),
                prepared.inputs(),
                prepared.outputs().stream()
                        .filter(value -> value.name().equals(output))
                        .toList(),
                prepared.constants(),
                prepared.nodes());
        try (GraphExecutor executor = new GraphExecutor(one, Device.cpu())) {
            return new HessianScorer(executor, PER_TENSOR, 0).score(batch(0, 8));
        }
    }

    @Test
    void everyLayerReceivesAGradient() {
        double[][] scores = scores();
        LossWeights weights = weights(scores);
        BatchSchedule schedule = BatchSchedule.inOrder(SAMPLES, new TrainingConfig(8, 4, 100, 2), 1);
        RoundingTrainer trainer = new RoundingTrainer(prepared, plan, CONFIG, weights, 10);
        try (GradientExchange exchange = exchange(weights, scores)) {
            LaneGradient gradient = exchange.exchange(trainer.parameters(), schedule.step(0));
            for (ParameterLayout.Layer layer :
                    ParameterLayout.of(prepared, plan).layers()) {
                float[] kernel = Arrays.copyOfRange(
                        gradient.gradient(),
                        layer.kernel().offset(),
                        layer.kernel().offset() + layer.kernel().size());
                assertThat(kernel).as(layer.point().name()).isNotEqualTo(new float[kernel.length]);
            }
        }
    }

    @Test
    void trainingHelpsAndTheExportedModelDoesWhatTheStudentDoes() {
        double[][] scores = scores();
        LossWeights weights = weights(scores);
        BatchSchedule schedule = new BatchSchedule(SAMPLES, new TrainingConfig(8, 4, 100, 2), 20, 0, true);
        RoundingTrainer trainer = new RoundingTrainer(prepared, plan, CONFIG, weights, schedule.totalSteps());
        List<StepResult> steps;
        try (GradientExchange exchange = exchange(weights, scores)) {
            steps = LocalTrainer.run(trainer, exchange, schedule);
        }
        assertThat(steps).hasSize(80);
        List<QuantizedLayer> nearest = PlanBuilder.roundToNearest(prepared, plan);
        List<QuantizedLayer> trained = trainer.quantizedLayers();
        assertThat(trained.get(1).values()).isNotEqualTo(trained.get(3).values());
        byte[] ptq = QdqExporter.export(prepared, plan, nearest, 13);
        byte[] gptq = QdqExporter.export(prepared, plan, trained, 13);
        assertThat(OnnxRuntime.run(gptq, batch(0, 4).inputs())).containsOnlyKeys("map", "classes");
        try (ModelEvaluator evaluator = new ModelEvaluator(
                OnnxModel.of(file), OnnxModel.of(ptq), OnnxModel.of(gptq), model, plan, nearest, trained)) {
            BlockMetrics metrics = evaluator.evaluate(batch(0, SAMPLES));
            assertThat(metrics.gptq().sqnrDb()).isGreaterThan(metrics.ptq().sqnrDb());
            assertThat(metrics.engineAgreement().values()).isEqualTo((long) SAMPLES * (MAP_SIZE + CLASSES));
            assertThat(metrics.engineAgreement().withinOneStep()).isGreaterThanOrEqualTo(0.999);
        }
    }

    private static double[][] scores() {
        return new HessianScorer(model, CONFIG.hessianWeightsConfig(), 0).score(batch(0, SAMPLES));
    }

    private static LossWeights weights(double[][] scores) {
        return LossWeights.of(ScoreSums.of(scores, CONFIG.hessianWeightsConfig()), CONFIG.hessianWeightsConfig());
    }

    private static GradientExchange exchange(LossWeights weights, double[][] scores) {
        GradientComputer computer = new GradientComputer(model, plan, CONFIG, weights);
        return new LocalGradientExchange(computer, InMemory.attention(SeveralInputsAndOutputsTest::batch, scores), 1);
    }
}
