package dev.gptq.evaluate;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.export.QuantizedModel;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxModel;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

class ModelEvaluatorTest {
    private static QuantizedModel coarse;
    private static QuantizedModel fine;

    @BeforeAll
    static void quantize() {
        QuantizationConfig eight = QuantizationConfig.defaults();
        QuantizationConfig.Weights weights = eight.weights();
        fine = QuantizedModel.of("m1_folded.onnx", eight);
        coarse = QuantizedModel.of(
                "m1_folded.onnx",
                eight.withWeights(new QuantizationConfig.Weights(
                        3, weights.method(), true, weights.thresholdMethod(), weights.lpNorm())));
    }

    @AfterAll
    static void close() {
        coarse.close();
        fine.close();
    }

    @Test
    void finerWeightsScoreBetterEverywhere() {
        BlockMetrics metrics = evaluate(withLabels(QuantizedModel.images(0, 64)));

        assertThat(metrics.samples()).isEqualTo(64);
        assertThat(metrics.gptq().sqnrDb()).isBetween(20.0, 60.0);
        assertThat(metrics.gptq().sqnrDb()).isGreaterThan(metrics.ptq().sqnrDb());
        assertThat(metrics.gptq().cosine()).isBetween(metrics.ptq().cosine(), 1.0);
        assertThat(metrics.gptq().agreement()).isBetween(0.95, 1.0);
        assertThat(metrics.points()).isEqualTo(5);
        for (int point = 0; point < metrics.points(); point++) {
            assertThat(metrics.sqnrGptqDb(point)).isGreaterThan(metrics.sqnrPtqDb(point));
        }
    }

    @Test
    void integerKernelsAndTheEngineSayTheSame() {
        EngineAgreement agreement = evaluate(QuantizedModel.images(0, 64)).engineAgreement();

        assertThat(agreement.samples()).isEqualTo(64);
        assertThat(agreement.values()).isEqualTo(640);
        assertThat(agreement.top1()).isEqualTo(1.0);
        assertThat(agreement.withinOneStep()).isGreaterThanOrEqualTo(0.999);
    }

    @Test
    void aModelThatWasNotExportedFromTheStudentDisagreesWithIt() {
        SampleBatch batch = QuantizedModel.images(0, 64);
        try (ModelEvaluator evaluator = new ModelEvaluator(
                OnnxModel.of(fine.floatFile()),
                OnnxModel.of(fine.file()),
                OnnxModel.of(coarse.file()),
                fine.executor(),
                fine.plan(),
                fine.layers(),
                fine.layers())) {
            assertThat(evaluator.evaluate(batch).engineAgreement().withinOneStep())
                    .isLessThan(0.9);
        }
    }

    @Test
    void labelsThatAreTheFloatModelsClassesMakeTopOneTheAgreement() {
        BlockMetrics metrics = evaluate(withLabels(QuantizedModel.images(64, 32)));

        assertThat(metrics.floatTop1()).isEqualTo(1.0);
        assertThat(metrics.ptq().top1()).isEqualTo(metrics.ptq().agreement());
    }

    @Test
    void blocksMergeToTheMetricsOfOneBatch() {
        BlockMetrics whole = evaluate(QuantizedModel.images(0, 64));
        BlockMetrics merged = evaluate(QuantizedModel.images(0, 24)).merge(evaluate(QuantizedModel.images(24, 40)));

        assertThat(merged.samples()).isEqualTo(64);
        assertThat(merged.ptq().agreement()).isEqualTo(whole.ptq().agreement());
        assertThat(merged.ptq().sqnrDb()).isEqualTo(whole.ptq().sqnrDb(), within(0.05));
        assertThat(merged.sqnrPtqDb(4)).isEqualTo(whole.sqnrPtqDb(4), within(0.05));
        assertThat(whole.floatTop1()).isNull();
    }

    @Test
    void partsOfABatchAddUpToItsMetrics() {
        SampleBatch batch = withLabels(QuantizedModel.images(0, 20));
        BlockMetrics whole = evaluate(batch);
        // A few samples each.
        BlockMetrics parts = evaluate(batch, 200_000);

        assertThat(parts.samples()).isEqualTo(20);
        assertThat(parts.floatTop1()).isEqualTo(whole.floatTop1());
        assertThat(parts.ptq().agreement()).isEqualTo(whole.ptq().agreement());
        assertThat(parts.ptq().sqnrDb()).isEqualTo(whole.ptq().sqnrDb(), within(0.01));
        assertThat(parts.sqnrGptqDb(2)).isEqualTo(whole.sqnrGptqDb(2), within(0.01));
        assertThat(parts.worst())
                .extracting(Disagreement::sample)
                .containsExactlyElementsOf(
                        whole.worst().stream().map(Disagreement::sample).toList());
    }

    @Test
    void theFloatModelComparedWithItselfIsAtTheCeiling() {
        SampleBatch batch = QuantizedModel.images(0, 16);
        try (ModelEvaluator evaluator = new ModelEvaluator(
                OnnxModel.of(fine.floatFile()),
                OnnxModel.of(fine.floatFile()),
                OnnxModel.of(fine.file()),
                fine.executor(),
                fine.plan(),
                fine.layers(),
                fine.layers())) {
            BlockMetrics.ModelScores same = evaluator.evaluate(batch).ptq();

            assertThat(same.sqnrDb()).isEqualTo(200);
            assertThat(same.agreement()).isEqualTo(1);
            assertThat(same.cosine()).isEqualTo(1, within(1e-12));
        }
    }

    @Test
    void aModelThatIsNoModelIsRefusedByName() {
        byte[] text = "no model".getBytes(StandardCharsets.UTF_8);

        assertThatThrownBy(() -> new OnnxSession(text, "ptq"))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNSUPPORTED_MODEL))
                .hasMessageStartingWith("Cannot load the ptq model: ");
    }

    @Test
    void inputsOfTheWrongShapeAreRefused() {
        Map<String, TensorData> wrong = Map.of("input", TensorData.ofFloats(new float[6], 1, 1, 2, 3));
        try (OnnxSession session = new OnnxSession(fine.floatFile(), "float")) {
            assertThatThrownBy(() -> session.run(wrong))
                    .isInstanceOfSatisfying(
                            GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT))
                    .hasMessageStartingWith("Cannot run the float model on {input=FLOAT32[1, 1, 2, 3]}");
        }
    }

    private static BlockMetrics evaluate(SampleBatch batch) {
        return evaluate(batch, Long.MAX_VALUE);
    }

    private static BlockMetrics evaluate(SampleBatch batch, long elements) {
        try (ModelEvaluator evaluator = new ModelEvaluator(
                OnnxModel.of(fine.floatFile()),
                OnnxModel.of(coarse.file()),
                OnnxModel.of(fine.file()),
                fine.executor(),
                fine.plan(),
                coarse.layers(),
                fine.layers())) {
            return evaluator.evaluate(batch, elements);
        }
    }

    /** Labels each image with the float model's class. */
    private static SampleBatch withLabels(SampleBatch batch) {
        try (OnnxSession session = new OnnxSession(fine.floatFile(), "float")) {
            ModelOutput logits = session.run(batch.inputs()).get("logits");
            long[] labels = new long[batch.size()];
            for (int sample = 0; sample < labels.length; sample++) {
                labels[sample] = logits.classOf(sample);
            }
            return new SampleBatch(batch.firstIndex(), batch.size(), batch.inputs(), labels);
        }
    }
}
