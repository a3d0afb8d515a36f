package dev.gptq.config;

import java.io.Serializable;

/**
 * MCT's GPTQHessianScoresConfig: how Hessian scores become loss weights.
 *
 * @param perSample one weight per sample and layer (sample-layer attention) instead of one per layer
 * @param hessiansNumSamples samples scored; null means all
 * @param normScores scores of one sample sum to one; null means {@code !perSample}; must not be true with perSample
 * @param logNorm log10 of the mean scores, moved to start at 0; null means {@code !perSample}; likewise
 * @param scaleLogNorm log scores scaled to [0, 1]; needs logNorm; likewise
 * @param hessianBatchSize samples of one scoring batch, 1 or more
 */
public record GPTQHessianScoresConfig(
        boolean perSample,
        Integer hessiansNumSamples,
        Boolean normScores,
        Boolean logNorm,
        boolean scaleLogNorm,
        int hessianBatchSize)
        implements Serializable {
    /** MCT, GPTQ_HESSIAN_NUM_SAMPLES: samples scored for one weight per layer. */
    public static final int DEFAULT_NUM_SAMPLES = 32;

    /** MCT, ACT_HESSIAN_DEFAULT_BATCH_SIZE. */
    public static final int DEFAULT_BATCH_SIZE = 32;

    public GPTQHessianScoresConfig {
        if (hessiansNumSamples != null) {
            Check.atLeast(hessiansNumSamples, 1, "hessians_num_samples");
        }
        Check.atLeast(hessianBatchSize, 1, "hessian_batch_size");
        refuseWithAttention(perSample, normScores, "norm_scores");
        refuseWithAttention(perSample, logNorm, "log_norm");
        refuseWithAttention(perSample, scaleLogNorm, "scale_log_norm");
        boolean usesLog = logNorm == null ? !perSample : logNorm;
        Check.that(
                !scaleLogNorm || usesLog,
                "scale_log_norm",
                scaleLogNorm,
                "it scales log scores and log_norm is false",
                "Set log_norm to true or scale_log_norm to false");
    }

    private static void refuseWithAttention(boolean perSample, Boolean value, String key) {
        Check.that(
                !perSample || !Boolean.TRUE.equals(value),
                key,
                value,
                "sample-layer attention (per_sample true) weighs raw scores, so they cannot be normalised",
                "Set " + key + " to false or per_sample to false");
    }

    /** {@code normScores}, or its default {@code !perSample}. */
    public boolean resolvedNormScores() {
        return normScores == null ? !perSample : normScores;
    }

    /** {@code logNorm}, or its default {@code !perSample}. */
    public boolean resolvedLogNorm() {
        return logNorm == null ? !perSample : logNorm;
    }

    /** One weight per sample and layer from raw scores of all samples: MCT's choice for sample-layer attention. */
    public static GPTQHessianScoresConfig perSampleDefaults() {
        return builder().setPerSample(true).build();
    }

    /** One weight per layer from the normalised scores of 32 samples: MCT's choice without sample-layer attention. */
    public static GPTQHessianScoresConfig perLayerDefaults() {
        return builder()
                .setPerSample(false)
                .optHessiansNumSamples(DEFAULT_NUM_SAMPLES)
                .build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Collects the fields; {@code perSample} is required. */
    public static final class Builder {
        private Boolean perSample;
        private Integer hessiansNumSamples;
        private Boolean normScores;
        private Boolean logNorm;
        private boolean scaleLogNorm;
        private int hessianBatchSize = DEFAULT_BATCH_SIZE;

        private Builder() {}

        public Builder setPerSample(boolean value) {
            this.perSample = value;
            return this;
        }

        /** Null means all samples, which is also the default. */
        public Builder optHessiansNumSamples(Integer value) {
            this.hessiansNumSamples = value;
            return this;
        }

        public Builder optNormScores(Boolean value) {
            this.normScores = value;
            return this;
        }

        public Builder optLogNorm(Boolean value) {
            this.logNorm = value;
            return this;
        }

        public Builder optScaleLogNorm(boolean value) {
            this.scaleLogNorm = value;
            return this;
        }

        public Builder optHessianBatchSize(int value) {
            this.hessianBatchSize = value;
            return this;
        }

        public GPTQHessianScoresConfig build() {
            Check.given(perSample, "per_sample", "Set it to true or false");
            return new GPTQHessianScoresConfig(
                    perSample, hessiansNumSamples, normScores, logNorm, scaleLogNorm, hessianBatchSize);
        }
    }
}
