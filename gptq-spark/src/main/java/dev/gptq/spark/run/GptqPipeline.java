package dev.gptq.spark.run;

import dev.gptq.config.RunConfig;
import org.apache.spark.sql.SparkSession;

/** The whole product: float ONNX model and representative dataset in, run directory with the quantized model out. */
public final class GptqPipeline {
    private GptqPipeline() {}

    /**
     * Runs every stage, or what an interrupted run with the same configuration, model and data has left undone.
     *
     * @param config the run; paths are Hadoop paths, those without a scheme belong to the default file system
     * @param spark the session whose cluster does the work; its settings are left alone
     * @throws dev.gptq.GptqException BAD_INPUT, IO, UNSUPPORTED_MODEL or DIVERGED with one line for people
     */
    public static RunResult run(RunConfig config, SparkSession spark, ProgressListener progress) {
        throw new UnsupportedOperationException();
    }
}
