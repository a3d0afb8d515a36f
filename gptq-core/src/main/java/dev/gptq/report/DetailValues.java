package dev.gptq.report;

import dev.gptq.calibrate.ActivationHistogram;
import dev.gptq.evaluate.Disagreement;
import dev.gptq.evaluate.Latency;
import dev.gptq.train.LearningRates;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the report's template shows of a run's details, and the ranking of layers that follows from its metrics. */
final class DetailValues {
    private static final int RATE_ROWS = 10;

    private DetailValues() {}

    static Map<String, Object> of(RunMetrics metrics, ReportDetails details) {
        return Map.ofEntries(
                Map.entry("measured", !details.latency().isEmpty()),
                Map.entry(
                        "latencyRuns",
                        details.latency().stream().mapToInt(Latency::runs).min().orElse(0)),
                Map.entry("ranking", ranking(metrics.layers())),
                Map.entry("rounded", !details.rounding().isEmpty()),
                Map.entry(
                        "flips",
                        details.rounding().stream().map(DetailValues::flips).toList()),
                Map.entry("observed", !details.activations().isEmpty()),
                Map.entry(
                        "activations",
                        details.activations().stream()
                                .map(DetailValues::activation)
                                .toList()),
                Map.entry("scheduled", details.learningRates() != null),
                Map.entry("rates", details.learningRates() == null ? List.of() : rates(details.learningRates())),
                Map.entry("counted", !metrics.data().isEmpty()),
                Map.entry(
                        "datasets",
                        metrics.data().entrySet().stream()
                                .map(entry -> dataset(entry.getKey(), entry.getValue()))
                                .toList()),
                Map.entry("compared", !details.samples().isEmpty()),
                Map.entry(
                        "samples",
                        details.samples().stream().map(DetailValues::sample).toList()));
    }

    /** A layer's part in the loss: its weight times the noise-to-signal ratio of its output. */
    private record Part(RunMetrics.Layer layer, double ptq, double gptq) {
        static Part of(RunMetrics.Layer layer) {
            return new Part(
                    layer,
                    layer.hessianWeight() * ratio(layer.sqnrPtqDb()),
                    layer.hessianWeight() * ratio(layer.sqnrGptqDb()));
        }

        private static double ratio(double decibels) {
            return Double.isFinite(decibels) ? Math.pow(10, -decibels / 10) : 0;
        }
    }

    private static List<Map<String, Object>> ranking(List<RunMetrics.Layer> layers) {
        List<Part> parts = layers.stream()
                .map(Part::of)
                .filter(part -> Double.isFinite(part.ptq()))
                .sorted(Comparator.comparingDouble(Part::ptq).reversed())
                .toList();
        double sum = parts.stream().mapToDouble(Part::ptq).sum();
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Part part : parts) {
            double share = sum == 0 ? 0 : part.ptq() / sum;
            double left = sum == 0 ? 0 : part.gptq() / sum;
            rows.add(Map.of(
                    "rank", rows.size() + 1,
                    "name", part.layer().name(),
                    "bits", part.layer().bits(),
                    "ptq", Figures.percent(share),
                    "gptq", Figures.percent(left),
                    "width", width(share),
                    "widthLeft", width(left)));
        }
        return rows;
    }

    private static String width(double share) {
        return String.format(Locale.ROOT, "%.2f", Math.min(100, 100 * share));
    }

    private static Map<String, Object> flips(RoundingFlips flips) {
        return Map.of(
                "name", flips.layer(),
                "weights", String.format(Locale.ROOT, "%,d", flips.weights()),
                "share", Figures.percent(flips.share()),
                "up", Figures.percent((double) flips.up() / Math.max(1, flips.weights())),
                "down", Figures.percent((double) flips.down() / Math.max(1, flips.weights())));
    }

    private static Map<String, Object> activation(ActivationHistogram histogram) {
        return Map.of(
                "name", histogram.tensor(),
                "bits", histogram.bits(),
                "seen", Figures.number(histogram.min()) + " to " + Figures.number(histogram.max()),
                "range", Figures.number(histogram.rangeMin()) + " to " + Figures.number(histogram.rangeMax()),
                "clipped", Figures.percent(histogram.clipped()));
    }

    private static List<Map<String, Object>> rates(LearningRates rates) {
        List<Map<String, Object>> rows = new ArrayList<>();
        int count = rates.steps().length;
        int shown = Math.min(RATE_ROWS, count);
        for (int row = 0; row < shown; row++) {
            int point = shown == 1 ? 0 : row * (count - 1) / (shown - 1);
            rates.rates()
                    .forEach((name, values) -> rows.add(
                            Map.of("step", rates.steps()[point], "name", name, "rate", Figures.number(values[point]))));
        }
        return rows;
    }

    private static Map<String, Object> dataset(String name, RunMetrics.DataRows rows) {
        return Map.of(
                "name", name,
                "samples", String.format(Locale.ROOT, "%,d", rows.samples()),
                "bad", String.format(Locale.ROOT, "%,d", rows.badRows()),
                "kind", rows.badRows() > 0 ? "loss" : "",
                "policy", String.valueOf(rows.badRowsPolicy()));
    }

    private static Map<String, Object> sample(ReportDetails.Sample sample) {
        Disagreement disagreement = sample.disagreement();
        return Map.of(
                "index", disagreement.sample(),
                "label", text(disagreement.label()),
                "floatClass", text(disagreement.floatClass()),
                "quantizedClass", text(disagreement.quantizedClass()),
                "kind", disagreement.changesClass() ? "loss" : "",
                "noise", Figures.percent(disagreement.relativeNoise()),
                "pictured", isPicture(sample.image()),
                "image", isPicture(sample.image()) ? sample.image() : "");
    }

    /** Nothing but a picture inside the page: the file that it comes from may be anyone's. */
    private static boolean isPicture(String image) {
        return image != null && image.matches("data:image/png;base64,[A-Za-z0-9+/=]*");
    }

    private static String text(Number value) {
        return value == null ? Figures.MISSING : value.toString();
    }
}
