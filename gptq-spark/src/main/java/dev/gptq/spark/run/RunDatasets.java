package dev.gptq.spark.run;

import dev.gptq.config.RunConfig;
import dev.gptq.graph.Graph;
import dev.gptq.spark.data.SamplePreparation;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/**
 * The datasets of a run, checked against its model.
 *
 * @param calibration the representative dataset
 * @param evaluation null without an evaluation dataset
 */
record RunDatasets(SamplePreparation calibration, SamplePreparation evaluation) {
    static RunDatasets open(SparkSession spark, RunConfig config, Graph model) {
        return new RunDatasets(
                SamplePreparation.open(spark, config.calibration(), model),
                config.evaluation() == null ? null : SamplePreparation.open(spark, config.evaluation(), model));
    }

    /** The files of both with what tells whether they have changed. */
    List<String> identity() {
        List<String> files = new ArrayList<>(calibration.identity());
        if (evaluation != null) {
            files.addAll(evaluation.identity());
        }
        return files;
    }
}
