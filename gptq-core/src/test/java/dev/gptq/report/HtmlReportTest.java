package dev.gptq.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gptq.mixedprecision.BitAssignment;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class HtmlReportTest {
    private static final String CONFIG = "model: models/m1.onnx\nseed: 0\n";
    private static final String MANIFEST = "{\"seed\":0,\"files\":[\"quantized.onnx\"]}";

    @Test
    void thePageLoadsNothing() {
        String page = render(SampleMetrics.of(5, 960, "conv"));

        assertThat(page).contains("default-src 'none'");
        assertThat(page).doesNotContainPattern("(?i)(href|action|srcset)\\s*=\\s*[\"']");
        // Pictures are inside.
        assertThat(page).doesNotContainPattern("(?i)src\\s*=\\s*[\"'](?!data:image/png;base64,[A-Za-z0-9+/=]*\")");
        assertThat(page).doesNotContainPattern("(?i)url\\s*\\(|@import|fetch\\(|XMLHttpRequest|importScripts");
        assertThat(page).doesNotContainPattern("\\{\\{");
    }

    @Test
    void theChartLibraryAndItsStyleAreInside() {
        String page = render(SampleMetrics.of(5, 10, "conv"));

        assertThat(page).contains("uPlot=function").contains(".uplot");
    }

    @Test
    void tablesCarryTheNumbersWithoutScripts() {
        String page = render(SampleMetrics.of(5, 960, "conv")).replaceAll("(?s)<script.*?</script>", "");

        assertThat(page).contains("90.21\u00a0%", "57.21\u00a0%", "87.36\u00a0%", "91.15\u00a0%", "0.97261");
        assertThat(page).contains("3.61×");
        assertThat(page).contains(">conv0<", ">conv4<", ">74.9<");
        assertThat(page).contains("30.15 points above plain rounding", "2.85 points below the float model");
        assertThat(page).contains("<h1>m1.onnx</h1>");
    }

    @Test
    void chartDataIsJsonWithEveryLayerAndStep() throws Exception {
        RunMetrics metrics = SampleMetrics.of(24, 960, "block");

        JsonNode data = chartData(render(metrics));

        assertThat(data.get("layers")).hasSize(24);
        assertThat(data.get("loss")).hasSize(960);
        assertThat(data.get("layers").get(23).get("name").asText()).isEqualTo("block23");
        assertThat(data.get("layers").get(3).get("gptq").asDouble())
                .isEqualTo(metrics.layers().get(3).sqnrGptqDb());
        assertThat(data.get("regularization").get(959).asDouble())
                .isEqualTo(metrics.train().regularization()[959]);
    }

    @Test
    void chosenBitsAreTables() {
        BitAssignment.Layer given = new BitAssignment.Layer("first", 6, 100, 10, List.of(6), new double[] {0.25});
        BitAssignment.Layer chosen =
                new BitAssignment.Layer("second", 4, 200, 10, List.of(2, 4), new double[] {0.5, 0.125});
        BitAssignment bits = new BitAssignment(
                "hessian",
                32,
                0.375,
                0.3,
                0.2,
                List.of(new BitAssignment.BudgetUse("weights_bits", 5, 4.667, 3.333)),
                List.of(given, chosen),
                List.of());

        String page = render(SampleMetrics.of(2, 3, "conv").withMixedPrecision(bits));

        assertThat(page).contains("Bits chosen: weights", "weights_bits 4.667 of 5.000", "20.00\u00a0% above");
        assertThat(page).contains("bits were given", "2 bits: 0.5000", "width:25.00%");
        assertThat(page).doesNotContain("Bits chosen: activations");
        assertThat(render(SampleMetrics.of(2, 3, "conv"))).doesNotContain("Bits chosen");
    }

    @Test
    void badRowsAreShownWhereTheyWereCounted() {
        RunMetrics counted = SampleMetrics.of(1, 3, "conv")
                .withData(Map.of("calibration", new RunMetrics.DataRows(12345, 7, "quarantine")));

        assertThat(render(counted)).contains(">12,345<", ">7<", ">quarantine<");
        assertThat(render(SampleMetrics.of(1, 3, "conv"))).doesNotContain("Bad rows");
    }

    @Test
    void layersAreRankedByTheirPartInTheLoss() {
        RunMetrics metrics = new RunMetrics(
                new RunMetrics.ModelMetrics(null, null, null, null, null),
                new RunMetrics.ModelMetrics(null, 10.0, 0.9, null, null),
                new RunMetrics.ModelMetrics(null, 20.0, 0.99, null, null),
                Map.of(),
                new RunMetrics.EngineAgreement(null, 0.5),
                null,
                // Noise to signal: 0.1 and 0.001.
                List.of(new RunMetrics.Layer("second", 8, 10, 30, 40), new RunMetrics.Layer("first", 4, 0.9, 10, 20)),
                List.of());

        String page = render(metrics);
        int start = page.indexOf("id=\"ranking\"");
        String ranking = page.substring(start, page.indexOf("</section>", start));

        // 0.9 * 0.1 = 0.09 of 0.1, and 10 * 0.001 = 0.01 of it.
        assertThat(ranking).containsSubsequence("first", "90.00", "9.00", "second", "10.00", "1.00");
    }

    @Test
    void noNameCanAddMarkup() throws Exception {
        String evil = "</script><script>alert(1)</script><!--";

        String page = HtmlReport.render(
                SampleMetrics.of(2, 3, evil),
                SampleDetails.of(2, 3, evil, "data:image/png;base64,\"><script>alert(1)</script>"),
                "model: \"" + evil + "\"",
                "{\"host\":\"" + evil + "\"}");

        assertThat(page).doesNotContain("<script>alert(1)").doesNotContain("</script><script>a");
        assertThat(page).contains("&lt;/script&gt;&lt;script&gt;alert(1)");
        assertThat(chartData(page).get("layers").get(1).get("name").asText()).isEqualTo(evil + "1");
        assertThat(Pattern.compile("<script").matcher(page).results().count()).isEqualTo(3);
    }

    @Test
    void valuesThatAreNotFiniteAreNullInChartsAndDashesInTables() throws Exception {
        RunMetrics metrics = new RunMetrics(
                new RunMetrics.ModelMetrics(null, null, null, null, null),
                new RunMetrics.ModelMetrics(null, 10.0, 0.9, null, null),
                new RunMetrics.ModelMetrics(null, 20.0, 0.99, null, null),
                Map.of("total_s", 1.0),
                new RunMetrics.EngineAgreement(null, 1),
                new RunMetrics.Training(0, new double[0], new double[0], new double[0]),
                List.of(new RunMetrics.Layer("only", 8, Double.NaN, Double.POSITIVE_INFINITY, 40)),
                null);

        String page = render(metrics);

        JsonNode layer = chartData(page).get("layers").get(0);
        assertThat(layer.get("weight").isNull()).isTrue();
        assertThat(layer.get("ptq").isNull()).isTrue();
        assertThat(page).doesNotContain("NaN").doesNotContain("id=\"loss-chart\"");
        assertThat(page).contains("SQNR of 20.0 dB; plain rounding gives 10.0 dB");
    }

    private static String render(RunMetrics metrics) {
        return HtmlReport.render(metrics, SampleDetails.of(metrics.layers().size(), 960, "conv"), CONFIG, MANIFEST);
    }

    private static JsonNode chartData(String page) throws Exception {
        Matcher data = Pattern.compile("<script type=\"application/json\" id=\"data\">(.*?)</script>", Pattern.DOTALL)
                .matcher(page);
        assertThat(data.find()).isTrue();
        return new JsonMapper().readTree(data.group(1));
    }
}
