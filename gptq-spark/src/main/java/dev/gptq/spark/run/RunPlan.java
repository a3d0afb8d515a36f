package dev.gptq.spark.run;

import java.util.List;

/**
 * What a run would do.
 *
 * @param runDirectory its path
 * @param content what is in the directory: nothing, this run unfinished or complete, or another one that is to be replaced
 * @param device cpu or gpu, and why
 * @param machines JVMs that run tasks
 * @param slots tasks that run at once
 * @param layers kernels that are quantized
 * @param samples of the calibration dataset, as many as are taken
 * @param evaluated samples of the evaluation dataset; null without one
 * @param stages those that were asked for
 * @param taskBytes memory outside the heap that a training task needs, about
 * @param jvmBytes memory outside the heap that a JVM needs whose tasks train, about
 * @param driverBytes the driver's heap that the run takes, about
 * @param storedBytes what the decoded samples take in the run directory until it is complete
 */
public record RunPlan(
        String runDirectory,
        String content,
        String device,
        int machines,
        int slots,
        int layers,
        long samples,
        Long evaluated,
        List<PlannedStage> stages,
        long taskBytes,
        long jvmBytes,
        long driverBytes,
        long storedBytes) {
    public RunPlan {
        stages = List.copyOf(stages);
    }

    /**
     * A stage.
     *
     * @param work what it consists of, for people
     * @param seconds roughly what it takes on CPUs when nothing of it is there yet
     */
    public record PlannedStage(Stage stage, String work, double seconds) {}

    /** All stages together. */
    public double seconds() {
        return stages.stream().mapToDouble(PlannedStage::seconds).sum();
    }
}
