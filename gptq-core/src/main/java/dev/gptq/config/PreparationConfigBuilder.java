package dev.gptq.config;

/** Builds a {@link PreparationConfig}; what is not set keeps the value of the configuration it started from. */
public final class PreparationConfigBuilder {
    private boolean batchNormFolding;
    private boolean batchNormForwardFolding;
    private boolean linearCollapsing;
    private boolean residualCollapsing;
    private boolean reluBoundToPowerOfTwo;
    private boolean shiftNegativeActivationCorrection;
    private double shiftNegativeRatio;
    private boolean shiftNegativeParamsSearch;
    private boolean concatThresholdUpdate;
    private boolean softmaxShift;
    private boolean weightsSecondMomentCorrection;
    private boolean activationSmoothing;

    PreparationConfigBuilder(PreparationConfig base) {
        this.batchNormFolding = base.batchNormFolding();
        this.batchNormForwardFolding = base.batchNormForwardFolding();
        this.linearCollapsing = base.linearCollapsing();
        this.residualCollapsing = base.residualCollapsing();
        this.reluBoundToPowerOfTwo = base.reluBoundToPowerOfTwo();
        this.shiftNegativeActivationCorrection = base.shiftNegativeActivationCorrection();
        this.shiftNegativeRatio = base.shiftNegativeRatio();
        this.shiftNegativeParamsSearch = base.shiftNegativeParamsSearch();
        this.concatThresholdUpdate = base.concatThresholdUpdate();
        this.softmaxShift = base.softmaxShift();
        this.weightsSecondMomentCorrection = base.weightsSecondMomentCorrection();
        this.activationSmoothing = base.activationSmoothing();
    }

    /** See {@link PreparationConfig#batchNormFolding}. */
    public PreparationConfigBuilder optBatchNormFolding(boolean value) {
        batchNormFolding = value;
        return this;
    }

    /** See {@link PreparationConfig#batchNormForwardFolding}. */
    public PreparationConfigBuilder optBatchNormForwardFolding(boolean value) {
        batchNormForwardFolding = value;
        return this;
    }

    /** See {@link PreparationConfig#linearCollapsing}. */
    public PreparationConfigBuilder optLinearCollapsing(boolean value) {
        linearCollapsing = value;
        return this;
    }

    /** See {@link PreparationConfig#residualCollapsing}. */
    public PreparationConfigBuilder optResidualCollapsing(boolean value) {
        residualCollapsing = value;
        return this;
    }

    /** See {@link PreparationConfig#reluBoundToPowerOfTwo}. */
    public PreparationConfigBuilder optReluBoundToPowerOfTwo(boolean value) {
        reluBoundToPowerOfTwo = value;
        return this;
    }

    /** See {@link PreparationConfig#shiftNegativeActivationCorrection}. */
    public PreparationConfigBuilder optShiftNegativeActivationCorrection(boolean value) {
        shiftNegativeActivationCorrection = value;
        return this;
    }

    /** See {@link PreparationConfig#shiftNegativeRatio}. */
    public PreparationConfigBuilder optShiftNegativeRatio(double value) {
        shiftNegativeRatio = value;
        return this;
    }

    /** See {@link PreparationConfig#shiftNegativeParamsSearch}. */
    public PreparationConfigBuilder optShiftNegativeParamsSearch(boolean value) {
        shiftNegativeParamsSearch = value;
        return this;
    }

    /** See {@link PreparationConfig#concatThresholdUpdate}. */
    public PreparationConfigBuilder optConcatThresholdUpdate(boolean value) {
        concatThresholdUpdate = value;
        return this;
    }

    /** See {@link PreparationConfig#softmaxShift}. */
    public PreparationConfigBuilder optSoftmaxShift(boolean value) {
        softmaxShift = value;
        return this;
    }

    /** See {@link PreparationConfig#weightsSecondMomentCorrection}. */
    public PreparationConfigBuilder optWeightsSecondMomentCorrection(boolean value) {
        weightsSecondMomentCorrection = value;
        return this;
    }

    /** See {@link PreparationConfig#activationSmoothing}. */
    public PreparationConfigBuilder optActivationSmoothing(boolean value) {
        activationSmoothing = value;
        return this;
    }

    /** @throws dev.gptq.GptqException BAD_INPUT naming key and value */
    public PreparationConfig build() {
        return new PreparationConfig(
                batchNormFolding,
                batchNormForwardFolding,
                linearCollapsing,
                residualCollapsing,
                reluBoundToPowerOfTwo,
                shiftNegativeActivationCorrection,
                shiftNegativeRatio,
                shiftNegativeParamsSearch,
                concatThresholdUpdate,
                softmaxShift,
                weightsSecondMomentCorrection,
                activationSmoothing);
    }
}
