package dev.gptq.spark.run;

import dev.gptq.config.DatasetConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.data.StoreIndex;
import java.util.LinkedHashMap;
import java.util.Map;

/** What metrics.json says of the datasets. */
final class DataCounts {
    private DataCounts() {}

    /** {@code evaluated} is null without an evaluation dataset. */
    static Map<String, RunMetrics.DataRows> of(RunConfig config, StoreIndex calibration, StoreIndex evaluated) {
        Map<String, RunMetrics.DataRows> rows = new LinkedHashMap<>();
        rows.put("calibration", rows(config.calibration(), calibration));
        if (evaluated != null) {
            rows.put("evaluation", rows(config.evaluation(), evaluated));
        }
        return rows;
    }

    private static RunMetrics.DataRows rows(DatasetConfig config, StoreIndex index) {
        return new RunMetrics.DataRows(
                index.samples(), index.badRows(), config.badRows().policy().toString());
    }
}
