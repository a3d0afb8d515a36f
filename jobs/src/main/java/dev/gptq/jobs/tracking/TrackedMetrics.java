package dev.gptq.jobs.tracking;

import dev.gptq.report.RunMetrics;
import dev.gptq.report.RunMetrics.ModelMetrics;
import java.util.LinkedHashMap;
import java.util.Map;

/** What is measured at a run's end, by name; what is not defined is left out. */
final class TrackedMetrics {
    private TrackedMetrics() {}

    static Map<String, Double> of(RunMetrics metrics) {
        Map<String, Double> values = new LinkedHashMap<>();
        add(values, "float", metrics.floatModel());
        add(values, "ptq", metrics.ptq());
        add(values, "gptq", metrics.gptq());
        for (RunMetrics.Layer layer : metrics.layers()) {
            put(values, "sqnr_db_ptq/" + layer.name(), layer.sqnrPtqDb());
            put(values, "sqnr_db_gptq/" + layer.name(), layer.sqnrGptqDb());
        }
        return values;
    }

    private static void add(Map<String, Double> values, String name, ModelMetrics model) {
        put(values, "top1/" + name, model.top1());
        put(values, "sqnr_db/" + name, model.sqnrDb());
        put(values, "cosine/" + name, model.cosine());
        put(values, "agreement/" + name, model.agreement());
        put(
                values,
                "bytes/" + name,
                model.bytes() == null ? null : model.bytes().doubleValue());
    }

    private static void put(Map<String, Double> values, String name, Double value) {
        if (value != null && Double.isFinite(value)) {
            values.put(name, value);
        }
    }
}
