package dev.gptq.report;

import dev.gptq.calibrate.LeftInFloat;
import dev.gptq.evaluate.Latency;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the report's template and charts show of a run's metrics. */
final class ReportValues {
    /** Rows of the loss table: enough to follow the course, few enough to read. */
    private static final int LOSS_ROWS = 20;

    private static final String TOTAL = "total_s";
    private static final double ONE_POINT = 0.01;

    private ReportValues() {}

    static Map<String, Object> of(RunMetrics metrics, ReportDetails details) {
        RunMetrics.Training train = metrics.train();
        boolean trained = train != null && train.loss() != null && train.loss().length > 0;
        return Map.ofEntries(
                Map.entry("headline", headline(metrics)),
                Map.entry("tiles", tiles(metrics, details)),
                Map.entry("models", models(metrics, details)),
                Map.entry(
                        "layers",
                        metrics.layers().stream().map(ReportValues::layer).toList()),
                Map.entry("left", !metrics.leftInFloat().isEmpty()),
                Map.entry(
                        "leftInFloat",
                        metrics.leftInFloat().stream().map(ReportValues::left).toList()),
                Map.entry("mixedPrecision", MixedPrecisionValues.of(metrics.mixedPrecision())),
                Map.entry("trained", trained),
                Map.entry("steps", trained ? train.steps() : 0),
                Map.entry("firstLoss", Figures.number(trained ? train.loss()[0] : null)),
                Map.entry("lastLoss", Figures.number(trained ? train.loss()[train.loss().length - 1] : null)),
                Map.entry(
                        "lowestLoss",
                        Figures.number(
                                trained ? Arrays.stream(train.loss()).min().getAsDouble() : null)),
                Map.entry("losses", trained ? losses(train) : List.of()),
                Map.entry("engine", engine(metrics.engineAgreement())),
                Map.entry("times", times(metrics.timing())));
    }

    private static Map<String, Object> left(LeftInFloat left) {
        return Map.of("name", left.node(), "operator", left.operator(), "reason", left.reason());
    }

    private static String headline(RunMetrics metrics) {
        Double original = metrics.floatModel().top1();
        Double ptq = metrics.ptq().top1();
        Double gptq = metrics.gptq().top1();
        if (Figures.defined(original) && Figures.defined(ptq) && Figures.defined(gptq)) {
            return "GPTQ reaches " + Figures.percent(gptq) + " top-1: " + points(gptq - ptq, "plain rounding") + ", "
                    + points(gptq - original, "the float model") + ".";
        }
        if (Figures.defined(metrics.ptq().agreement())
                && Figures.defined(metrics.gptq().agreement())) {
            return "GPTQ chooses the float model's class for "
                    + Figures.percent(metrics.gptq().agreement()) + " of the samples; plain rounding for "
                    + Figures.percent(metrics.ptq().agreement()) + ".";
        }
        return "GPTQ's outputs have an SQNR of "
                + Figures.decibels(metrics.gptq().sqnrDb()) + " dB; plain rounding gives "
                + Figures.decibels(metrics.ptq().sqnrDb()) + " dB.";
    }

    private static String points(double difference, String what) {
        double size = Math.abs(difference) / ONE_POINT;
        String amount = String.format(Locale.ROOT, "%.2f points", size);
        return amount.equals("0.00 points")
                ? "the same as " + what
                : amount + (difference > 0 ? " above " : " below ") + what;
    }

    private static List<Map<String, Object>> tiles(RunMetrics metrics, ReportDetails details) {
        boolean labelled = Figures.defined(metrics.floatModel().top1());
        List<Map<String, Object>> tiles = new ArrayList<>();
        if (labelled) {
            tiles.add(tile("Float top-1", Figures.percent(metrics.floatModel().top1()), "the model as given", "float"));
            tiles.add(tile("PTQ top-1", Figures.percent(metrics.ptq().top1()), "rounded to nearest", "ptq"));
            tiles.add(tile("GPTQ top-1", Figures.percent(metrics.gptq().top1()), "rounding learned", "gptq"));
        } else {
            tiles.add(tile(
                    "PTQ output SQNR", Figures.decibels(metrics.ptq().sqnrDb()) + " dB", "rounded to nearest", "ptq"));
            tiles.add(tile(
                    "GPTQ output SQNR", Figures.decibels(metrics.gptq().sqnrDb()) + " dB", "rounding learned", "gptq"));
        }
        tiles.add(tile(
                "File size",
                Figures.timesSmaller(
                        metrics.floatModel().bytes(), metrics.gptq().bytes()),
                "smaller: " + Figures.bytes(metrics.floatModel().bytes()) + " to "
                        + Figures.bytes(metrics.gptq().bytes()),
                "size"));
        Double before = millis(details, "float");
        Double after = millis(details, "gptq");
        if (before != null && after != null) {
            tiles.add(tile(
                    "Latency",
                    Figures.times(before / after),
                    (after <= before ? "as fast: " : "as fast, so slower: ") + Figures.milliseconds(before) + " to "
                            + Figures.milliseconds(after),
                    "size"));
        }
        return tiles;
    }

    private static Map<String, Object> tile(String label, String value, String note, String kind) {
        return Map.of("label", label, "value", value, "note", note, "kind", kind);
    }

    private static List<Map<String, Object>> models(RunMetrics metrics, ReportDetails details) {
        Long reference = metrics.floatModel().bytes();
        return List.of(
                model("Float", "float", metrics.floatModel(), reference, details),
                model("PTQ", "ptq", metrics.ptq(), reference, details),
                model("GPTQ", "gptq", metrics.gptq(), reference, details));
    }

    /** Median milliseconds of a model, or null. */
    private static Double millis(ReportDetails details, String model) {
        return details.latency().stream()
                .filter(latency -> latency.model().equals(model))
                .map(Latency::medianMillis)
                .findFirst()
                .orElse(null);
    }

    private static Map<String, Object> model(
            String name, String kind, RunMetrics.ModelMetrics model, Long reference, ReportDetails details) {
        return Map.of(
                "name", name,
                "kind", kind,
                "top1", Figures.percent(model.top1()),
                "agreement", Figures.percent(model.agreement()),
                "sqnr", Figures.decibels(model.sqnrDb()),
                "cosine", Figures.cosine(model.cosine()),
                "size", Figures.bytes(model.bytes()),
                "latency", Figures.milliseconds(millis(details, kind)),
                "smaller", kind.equals("float") ? Figures.MISSING : Figures.timesSmaller(reference, model.bytes()));
    }

    private static String engine(RunMetrics.EngineAgreement agreement) {
        String values = "within one quantization step on " + Figures.percent(agreement.withinOneStep())
                + " of the output values";
        return Figures.defined(agreement.top1())
                ? "same class for " + Figures.percent(agreement.top1()) + " of the samples, " + values
                : values;
    }

    private static Map<String, Object> layer(RunMetrics.Layer layer) {
        double gain = layer.sqnrGptqDb() - layer.sqnrPtqDb();
        return Map.of(
                "name", layer.name(),
                "bits", layer.bits(),
                "ptq", Figures.decibels(layer.sqnrPtqDb()),
                "gptq", Figures.decibels(layer.sqnrGptqDb()),
                "gain", Figures.gain(gain),
                "kind", gain < 0 ? "loss" : "gain",
                "weight", Figures.number(layer.hessianWeight()));
    }

    private static List<Map<String, Object>> losses(RunMetrics.Training train) {
        int steps = train.loss().length;
        int rows = Math.min(LOSS_ROWS, steps);
        List<Map<String, Object>> losses = new ArrayList<>();
        for (int row = 0; row < rows; row++) {
            int step = rows == 1 ? 0 : (int) ((long) row * (steps - 1) / (rows - 1));
            losses.add(Map.of(
                    "step", step,
                    "loss", Figures.number(train.loss()[step]),
                    "distillation", Figures.number(at(train.distillationLoss(), step)),
                    "regularization", Figures.number(at(train.regularization(), step))));
        }
        return losses;
    }

    private static Double at(double[] values, int index) {
        return values == null || index >= values.length ? null : values[index];
    }

    private static List<Map<String, Object>> times(Map<String, Double> timing) {
        double longest = timing.entrySet().stream()
                .filter(entry -> !entry.getKey().equals(TOTAL) && Figures.defined(entry.getValue()))
                .mapToDouble(Map.Entry::getValue)
                .max()
                .orElse(1);
        List<Map<String, Object>> times = new ArrayList<>();
        timing.forEach((stage, seconds) -> times.add(Map.of(
                "stage",
                stage.endsWith("_s") ? stage.substring(0, stage.length() - 2) : stage,
                "seconds",
                Figures.seconds(seconds),
                "kind",
                stage.equals(TOTAL) ? "total" : "stage",
                "percent",
                width(stage.equals(TOTAL) ? null : seconds, longest))));
        return times;
    }

    private static String width(Double seconds, double longest) {
        double share = Figures.defined(seconds) && longest > 0 ? 100 * seconds / longest : 0;
        return String.format(Locale.ROOT, "%.2f", share);
    }
}
