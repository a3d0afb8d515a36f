package dev.gptq.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class MetricsFileTest {
    @Test
    void keysAreThoseOfTheRunDirectoryContract() throws Exception {
        JsonNode json = new JsonMapper().readTree(MetricsFile.toJson(SampleMetrics.of(5, 12, "conv")));

        assertThat(names(json))
                .containsExactly(
                        "float",
                        "ptq",
                        "gptq",
                        "timing",
                        "engine_agreement",
                        "train",
                        "layers",
                        "left_in_float",
                        "data");
        assertThat(names(json.get("float"))).containsExactly("top1", "bytes");
        assertThat(names(json.get("ptq"))).containsExactly("top1", "sqnr_db", "cosine", "agreement", "bytes");
        assertThat(names(json.get("gptq"))).containsExactly("top1", "sqnr_db", "cosine", "agreement", "bytes");
        assertThat(names(json.get("timing")))
                .containsExactly(
                        "prepare_s", "calibrate_s", "hessian_s", "train_s", "export_s", "evaluate_s", "total_s");
        assertThat(names(json.get("train"))).containsExactly("steps", "loss", "distillation_loss", "regularization");
        assertThat(names(json.get("layers").get(0)))
                .containsExactly("name", "bits", "hessian_weight", "sqnr_ptq_db", "sqnr_gptq_db");
        assertThat(json.get("train").get("loss")).hasSize(12);
    }

    @Test
    void whatIsWrittenIsReadBack() {
        RunMetrics metrics = SampleMetrics.of(3, 7, "conv");

        RunMetrics read = MetricsFile.fromJson(MetricsFile.toJson(metrics));

        assertThat(read).usingRecursiveComparison().isEqualTo(metrics);
    }

    @Test
    void anUnlabelledRunWritesNullForTop1() throws Exception {
        RunMetrics metrics = withLayer(30, null);

        JsonNode json = new JsonMapper().readTree(MetricsFile.toJson(metrics));

        assertThat(json.get("ptq").get("top1").isNull()).isTrue();
    }

    @Test
    void valuesThatAreNotFiniteAreWrittenAsNull() throws Exception {
        String json = MetricsFile.toJson(withLayer(Double.NaN, Double.POSITIVE_INFINITY));

        assertThat(json).doesNotContain("NaN").doesNotContain("Infinity");
        JsonNode tree = new JsonMapper().readTree(json);
        assertThat(tree.get("layers").get(0).get("sqnr_ptq_db").isNull()).isTrue();
        assertThat(tree.get("train").get("loss").get(1).isNull()).isTrue();
        assertThat(tree.get("ptq").get("top1").isNull()).isTrue();
    }

    @Test
    void nullIsReadAsNotANumber() {
        RunMetrics read = MetricsFile.fromJson(MetricsFile.toJson(withLayer(Double.NaN, 0.5)));

        assertThat(read.layers().get(0).sqnrPtqDb()).isNaN();
        assertThat(read.train().loss()[0]).isEqualTo(1);
        assertThat(read.train().loss()[1]).isNaN();
    }

    @Test
    void anotherFileIsRefused() {
        assertThatThrownBy(() -> MetricsFile.fromJson("{\"train\":{\"loss\":1}}"))
                .isInstanceOf(GptqException.class);
        assertThatThrownBy(() -> MetricsFile.fromJson("{\"plan\":1}"))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT))
                .hasMessageStartingWith("Cannot read metrics:");
    }

    private static RunMetrics withLayer(double sqnr, Double top1) {
        RunMetrics.ModelMetrics model = new RunMetrics.ModelMetrics(top1, 1.0, 1.0, null, 1L);
        return new RunMetrics(
                model,
                model,
                model,
                Map.of("total_s", 1.0),
                new RunMetrics.EngineAgreement(null, 1),
                new RunMetrics.Training(2, new double[] {1, Double.NaN}, new double[2], new double[2]),
                List.of(new RunMetrics.Layer("a", 8, 1, sqnr, sqnr)),
                List.of());
    }

    private static List<String> names(JsonNode node) {
        return node.properties().stream().map(Map.Entry::getKey).toList();
    }
}
