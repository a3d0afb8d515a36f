package dev.gptq.spark.run;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.hessian.LossWeights;
import dev.gptq.report.MetricsFile;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.data.ParquetSchema;
import dev.gptq.spark.data.RunFiles;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * What lies in a run directory, finished or not. Each method reads its file when it is called, and throws a
 * {@link GptqException} (IO) that names the stage to run when the file is not there yet.
 */
public final class RunArtifacts {
    private final RunFiles files;

    RunArtifacts(RunFiles files) {
        this.files = files;
    }

    /**
     * Looks into a run directory without changing it.
     *
     * @param directory a Hadoop path, {@code output.path} of the run's configuration
     */
    public static RunArtifacts open(String directory, SparkSession spark) {
        return new RunArtifacts(RunFiles.of(directory, spark.sparkContext().hadoopConfiguration()));
    }

    /** The directory as a Hadoop path. */
    public String runDirectory() {
        return files.root();
    }

    /** Whether all stages are done. */
    public boolean isComplete() {
        return files.exists(RunDirectory.MANIFEST);
    }

    /** Every threshold, from calibrate. */
    public QuantizationPlan plan() {
        return QuantizationPlan.fromJson(text(RunDirectory.PLAN, Stage.CALIBRATE));
    }

    /** What layers weigh in the loss, from hessian; not there when all weigh the same. */
    public LossWeights lossWeights() {
        return LossWeightsFile.fromJson(text(RunDirectory.LOSS_WEIGHTS, Stage.HESSIAN));
    }

    /** One row per sample, one column per layer, from hessian; not there when all layers weigh the same. */
    public Dataset<Row> scores(SparkSession spark) {
        return ParquetSchema.table(require(RunDirectory.HESSIAN_SCORES, Stage.HESSIAN), spark);
    }

    /** The model with learned rounding, from export: an ONNX file. */
    public byte[] quantizedModel() {
        require(RunDirectory.QUANTIZED_MODEL, Stage.EXPORT);
        return files.read(RunDirectory.QUANTIZED_MODEL);
    }

    /** The model rounded to nearest, from export: an ONNX file. */
    public byte[] ptqModel() {
        require(RunDirectory.PTQ_MODEL, Stage.EXPORT);
        return files.read(RunDirectory.PTQ_MODEL);
    }

    /** What quantization cost, from evaluate. */
    public RunMetrics metrics() {
        return MetricsFile.fromJson(text(RunDirectory.METRICS, Stage.EVALUATE));
    }

    /** The path of the report, from report. */
    public String report() {
        return require(RunDirectory.REPORT, Stage.REPORT);
    }

    private String text(String name, Stage stage) {
        require(name, stage);
        return files.readText(name);
    }

    private String require(String name, Stage stage) {
        if (!files.exists(name)) {
            throw new GptqException(
                    ErrorCode.IO,
                    "Cannot read %s of run '%s': it is not there. Run its stage %s first."
                            .formatted(name, files.root(), stage.label()));
        }
        return files.path(name);
    }
}
