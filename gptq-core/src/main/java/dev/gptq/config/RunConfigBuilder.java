package dev.gptq.config;

/** Builds a {@link RunConfig}; what is not set has the default that the YAML file's key has. */
public final class RunConfigBuilder {
    private String model;
    private DatasetConfig calibration;
    private DatasetConfig evaluation;
    private Recipe recipe = Recipe.MCT;
    private QuantizationConfig quantization;
    private GradientPTQConfig gptq;
    private TrainingConfig training;
    private OutputConfig output;
    private long seed;
    private String device = "auto";
    private double gpusPerTask = RunConfig.WHOLE_GPU;
    private boolean allowUserClasses;
    private TrackingConfig tracking = TrackingConfig.NONE;

    RunConfigBuilder() {}

    public RunConfigBuilder setModel(String value) {
        this.model = value;
        return this;
    }

    public RunConfigBuilder setCalibration(DatasetConfig value) {
        this.calibration = value;
        return this;
    }

    public RunConfigBuilder setGptq(GradientPTQConfig value) {
        this.gptq = value;
        return this;
    }

    public RunConfigBuilder setOutput(OutputConfig value) {
        this.output = value;
        return this;
    }

    /** Null, the default: no evaluation data. */
    public RunConfigBuilder optEvaluation(DatasetConfig value) {
        this.evaluation = value;
        return this;
    }

    /** The recipe whose values {@link Recipe#gptq} has, and quantization and training that are not set here. */
    public RunConfigBuilder optRecipe(Recipe value) {
        this.recipe = value;
        return this;
    }

    public RunConfigBuilder optQuantization(QuantizationConfig value) {
        this.quantization = value;
        return this;
    }

    public RunConfigBuilder optTraining(TrainingConfig value) {
        this.training = value;
        return this;
    }

    public RunConfigBuilder optSeed(long value) {
        this.seed = value;
        return this;
    }

    public RunConfigBuilder optDevice(String value) {
        this.device = value;
        return this;
    }

    /** The default is a whole GPU for each task. */
    public RunConfigBuilder optGpusPerTask(double value) {
        this.gpusPerTask = value;
        return this;
    }

    public RunConfigBuilder optAllowUserClasses(boolean value) {
        this.allowUserClasses = value;
        return this;
    }

    public RunConfigBuilder optTracking(TrackingConfig value) {
        this.tracking = value;
        return this;
    }

    /** @throws dev.gptq.GptqException BAD_INPUT with key, value and remedy */
    public RunConfig build() {
        return new RunConfig(
                model,
                calibration,
                evaluation,
                recipe,
                quantization == null ? recipe.quantization() : quantization,
                gptq,
                training == null ? recipe.training() : training,
                output,
                seed,
                device,
                gpusPerTask,
                allowUserClasses,
                tracking);
    }
}
