package dev.gptq.config;

import java.io.Serializable;

/**
 * Where a run's numbers go besides its directory. Part of nobody's result: a run may go on with other trackers.
 *
 * @param tensorboardPath folder for TensorBoard's event files, on any Hadoop path; the run gets a folder of its own in it. Null
 *     for none
 * @param mlflowUri address of an MLflow tracking server; null for none
 * @param mlflowExperiment the experiment there, created if it does not exist
 */
public record TrackingConfig(String tensorboardPath, String mlflowUri, String mlflowExperiment)
        implements Serializable {
    /** No tracking. */
    public static final TrackingConfig NONE = new TrackingConfig(null, null, "gptq");

    public TrackingConfig {
        Check.that(
                tensorboardPath == null || !tensorboardPath.isBlank(),
                "tensorboard.path",
                "''",
                "it is empty",
                "Set it to a folder, or to null for no event files");
        Check.that(
                mlflowUri == null || mlflowUri.startsWith("http://") || mlflowUri.startsWith("https://"),
                "mlflow.uri",
                mlflowUri,
                "it is not the address of a server",
                "Use for example http://localhost:5000, or null for no MLflow");
        Check.text(mlflowExperiment, "mlflow.experiment", "Set it to the name of an experiment, for example gptq");
    }

    /** Whether anything is tracked. */
    public boolean isOn() {
        return tensorboardPath != null || mlflowUri != null;
    }
}
