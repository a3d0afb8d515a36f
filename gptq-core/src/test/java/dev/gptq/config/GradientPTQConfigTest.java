package dev.gptq.config;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.GradientPTQConfig.QuantizerParametersOverride;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class GradientPTQConfigTest {
    private static final GradualActivationQuantizationConfig GRADUAL = GradualActivationQuantizationConfig.defaults();

    @Test
    void theDefaultsAreThoseOfGetPytorchGptqConfig() {
        GradientPTQConfig config = GradientPTQConfig.defaults(5);

        assertThat(config.nEpochs()).isEqualTo(5);
        assertThat(config.loss()).isEqualTo("sample_layer_attention");
        assertThat(config.optimizer()).isEqualTo(OptimizerConfig.adam(3e-2));
        assertThat(config.optimizerRest()).isEqualTo(OptimizerConfig.adam(1e-4));
        assertThat(config.optimizerBias()).isEqualTo(OptimizerConfig.sgd(1e-4, 0.9));
        assertThat(config.optimizerQuantizationParameter()).isNull();
        assertThat(config.resolvedOptimizerQuantizationParameter()).isEqualTo(OptimizerConfig.adam(1e-4));
        assertThat(config.trainBias()).isTrue();
        assertThat(config.roundingType()).isEqualTo(RoundingType.SoftQuantizer);
        assertThat(config.regularizationFactor()).isEqualTo(10);
        assertThat(config.logFunction()).isNull();
        GPTQHessianScoresConfig hessian = config.hessianWeightsConfig();
        assertThat(hessian.perSample()).isTrue();
        assertThat(hessian.hessiansNumSamples()).isNull();
        assertThat(hessian.resolvedNormScores()).isFalse();
        assertThat(hessian.resolvedLogNorm()).isFalse();
        assertThat(hessian.scaleLogNorm()).isFalse();
        assertThat(hessian.hessianBatchSize()).isEqualTo(32);
        assertThat(config.gradualActivationQuantizationConfig().qFractionSchedulerPolicy())
                .isEqualTo(new QFractionLinearAnnealingConfig(0, 1, 0, null));
        assertThat(config.quantizerParametersOverride().quantizationParameterLearning())
                .isFalse();
        assertThat(config.quantizerParametersOverride().maxLsbsChange(4)).isEqualTo(1);
    }

    @Test
    void withoutAttentionLayersAreWeighedByTheNormalisedScoresOf32Samples() {
        GradientPTQConfig config = GradientPTQConfig.defaults(1, null, null, null, null, true, null, 16, false, null);

        assertThat(config.loss()).isEqualTo("multiple_tensors_mse");
        assertThat(config.regularizationFactor()).isEqualTo(0.01);
        assertThat(config.hessianWeightsConfig().hessiansNumSamples()).isEqualTo(32);
        assertThat(config.hessianWeightsConfig().hessianBatchSize()).isEqualTo(16);
        assertThat(config.hessianWeightsConfig().resolvedNormScores()).isTrue();
        assertThat(config.hessianWeightsConfig().resolvedLogNorm()).isTrue();
        assertThat(config.gradualActivationQuantizationConfig()).isNull();
    }

    @Test
    void withoutHessianWeightsAllLayersWeighTheSame() {
        GradientPTQConfig config =
                GradientPTQConfig.defaults(1, null, null, null, null, false, 0.5, 32, false, GRADUAL);

        assertThat(config.hessianWeightsConfig()).isNull();
        assertThat(config.loss()).isEqualTo("multiple_tensors_mse");
        assertThat(config.regularizationFactor()).isEqualTo(0.5);
    }

    @Test
    void aUsersOptimizersReplaceTheDefaultsButNotTheBiasOptimizer() {
        OptimizerConfig mine = OptimizerConfig.rAdam(0.01);
        OptimizerConfig rest = OptimizerConfig.rmsProp(0.02);
        GradientPTQConfig config =
                GradientPTQConfig.defaults(1, mine, rest, null, "com.example.Log", true, null, 32, true, GRADUAL);

        assertThat(config.optimizer()).isEqualTo(mine);
        assertThat(config.optimizerRest()).isEqualTo(rest);
        assertThat(config.resolvedOptimizerBias()).isEqualTo(OptimizerConfig.sgd(1e-4, 0.9));
        assertThat(config.logFunction()).isEqualTo("com.example.Log");
    }

    @Test
    void attentionWithoutHessianWeightsIsRefusedAsInMct() {
        refuses(
                () -> GradientPTQConfig.defaults(1, null, null, null, null, false, null, 32, true, GRADUAL),
                "use_hessian_based_weights",
                "use_hessian_sample_attention to false");
    }

    @Test
    void aLossThatDoesNotFitTheHessianWeightsIsRefused() {
        refuses(
                () -> GradientPTQConfig.builder()
                        .setNEpochs(1)
                        .optLoss("sample_layer_attention")
                        .optHessianWeightsConfig(GPTQHessianScoresConfig.perLayerDefaults())
                        .build(),
                "loss sample_layer_attention",
                "per_sample to true");
        refuses(
                () -> GradientPTQConfig.builder()
                        .setNEpochs(1)
                        .optLoss("multiple_tensors_mse")
                        .optHessianWeightsConfig(GPTQHessianScoresConfig.perSampleDefaults())
                        .build(),
                "loss multiple_tensors_mse",
                "per_sample to false");
    }

    @Test
    void aMisspelledLossIsAnsweredWithTheNearestOne() {
        refuses(
                () -> GradientPTQConfig.builder()
                        .setNEpochs(1)
                        .optLoss("sample_layer_atention")
                        .build(),
                "sample_layer_atention",
                "nearest known name is 'sample_layer_attention'");
    }

    @Test
    void biasTrainingNeedsSomeOptimizer() {
        GradientPTQConfigBuilder builder =
                GradientPTQConfig.builder().setNEpochs(1).optOptimizerRest(null).optOptimizerBias(null);

        refuses(builder::build, "optimizer_rest null", "train_bias to false");
        assertThat(builder.optTrainBias(false).build().resolvedOptimizerBias()).isNull();
    }

    @Test
    void scaleLearningNeedsSomeOptimizer() {
        refuses(
                () -> GradientPTQConfig.builder()
                        .setNEpochs(1)
                        .optOptimizerRest(null)
                        .optQuantizerParametersOverride(new QuantizerParametersOverride(true, Map.of()))
                        .build(),
                "optimizer_rest null",
                "quantization_parameter_learning to false");
    }

    @Test
    void epochsAreRequiredAndMayNotBeNegative() {
        refuses(() -> GradientPTQConfig.builder().build(), "n_epochs null", "Set the number of passes");
        refuses(() -> GradientPTQConfig.defaults(-1), "n_epochs -1", "Use 0 or more");
    }

    @Test
    void attentionScoresCannotBeNormalised() {
        refuses(() -> new GPTQHessianScoresConfig(true, null, true, null, false, 32), "norm_scores true", "per_sample");
        refuses(() -> new GPTQHessianScoresConfig(true, null, null, true, false, 32), "log_norm true", "per_sample");
        refuses(
                () -> new GPTQHessianScoresConfig(true, null, null, null, true, 32),
                "scale_log_norm true",
                "per_sample");
        refuses(() -> new GPTQHessianScoresConfig(false, 0, null, null, false, 32), "hessians_num_samples 0", "Use 1");
        refuses(() -> new GPTQHessianScoresConfig(false, 1, null, null, false, 0), "hessian_batch_size 0", "Use 1");
        refuses(() -> new GPTQHessianScoresConfig(false, 1, null, false, true, 1), "scale_log_norm true", "log_norm");
    }

    @Test
    void quantizedFractionsMustGrowWithinZeroAndOne() {
        refuses(() -> new QFractionLinearAnnealingConfig(-0.1, 1, 0, null), "initial_q_fraction -0.1", "0 <= initial");
        refuses(() -> new QFractionLinearAnnealingConfig(0.5, 0.5, 0, null), "target_q_fraction 0.5", "is 0.5");
        refuses(() -> new QFractionLinearAnnealingConfig(0, 1.1, 0, null), "target_q_fraction 1.1", "<= 1");
        refuses(() -> new QFractionLinearAnnealingConfig(Double.NaN, 1, 0, null), "initial_q_fraction NaN", "expected");
        refuses(() -> new QFractionLinearAnnealingConfig(0, 1, -1, null), "start_step -1", "Use 0 or more");
        refuses(() -> new QFractionLinearAnnealingConfig(0, 1, 5, 5), "end_step 5", "start_step is 5");
    }

    @Test
    void theGrowthEndsWithTheRunUnlessAnEndIsGiven() {
        assertThat(QFractionLinearAnnealingConfig.defaults().resolvedEndStep(40))
                .isEqualTo(40);
        assertThat(new QFractionLinearAnnealingConfig(0, 1, 0, 7).resolvedEndStep(40))
                .isEqualTo(7);
        refuses(
                () -> new QFractionLinearAnnealingConfig(0, 1, 40, null).resolvedEndStep(40),
                "start_step 40",
                "40 steps");
    }

    private static void refuses(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT))
                .hasMessageStartingWith("Cannot use ")
                .hasMessageContainingAll(parts);
    }
}
