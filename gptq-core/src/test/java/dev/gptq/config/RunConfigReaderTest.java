package dev.gptq.config;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class RunConfigReaderTest {
    @Test
    void aMinimalFileGetsEveryDefault() {
        RunConfig config = Minimal.with();

        assertThat(config)
                .isEqualTo(RunConfig.builder()
                        .setModel("model.onnx")
                        .setCalibration(
                                DatasetConfig.of("calibration.parquet", Map.of("input", InputMapping.of("input"))))
                        .setGptq(GradientPTQConfig.defaults(3))
                        .setOutput(new OutputConfig("target/run", false))
                        .build());
        assertThat(config.training()).isEqualTo(new TrainingConfig(32, 4, null, 100, 2, "auto"));
        assertThat(config.seed()).isZero();
        assertThat(config.device()).isEqualTo("auto");
    }

    @Test
    void everyValueOfAFullFileIsRead() {
        RunConfig config = RunConfigReader.read(
                """
                model: s3a://bucket/m.onnx
                data:
                  calibration:
                    path: c.npz
                    format: npz
                    inputs:
                      input.1: {column: image, type: uint8, shape: [1, 28, 28], scale: 0.5, mean: [0.1, 0.2], std: .25}
                    id: id
                    limit: 1000
                  evaluation: {path: e.parquet, label: y}
                quantization:
                  preset: tensorrt
                  bias_correction: false
                  opset: 17
                  weights: {bits: 3, method: power-of-two, per_channel: false, threshold_method: lp, lp_norm: 2.4, first_and_last_bits: 7, embedding_bits: null}
                  activations: {signed: false, z_threshold: 12}
                  layers:
                    - name: /conv?/*
                      weights: {bits: 2, method: symmetric, threshold_method: kl}
                      activations: {bits: 7, method: power_of_two, threshold_method: mae}
                      skip: false
                    - {name: 'head, "last"', skip: true}
                  mixed_precision:
                    weights_bits: [8, 3, 4]
                    activations_bits: [16, 8]
                    budget: {size: 70000, weights_bits: 4.5, activations_bits: 8, bit_operations: .75}
                    sensitivity: output_error
                    samples: 12
                  preparation:
                    batch_norm_folding: false
                    batch_norm_forward_folding: false
                    linear_collapsing: false
                    residual_collapsing: false
                    relu_bound_to_power_of_2: true
                    shift_negative_activation_correction: false
                    shift_negative_ratio: 0.25
                    shift_negative_params_search: true
                    concat_threshold_update: true
                    softmax_shift: true
                    weights_second_moment_correction: true
                    activation_smoothing: true
                gptq:
                  n_epochs: 7
                  loss: com.example.Loss
                  optimizer:
                    type: AdamW
                    learning_rate: 1e-2
                    betas: [0.8, 0.99]
                    epsilon: 1e-6
                    weight_decay: 0.1
                    schedule: {type: step, step_size: 50, gamma: 0.5}
                  optimizer_rest: {type: RMSprop, alpha: 0.9, momentum: 0.1}
                  optimizer_bias: {nesterov: true, schedule: {type: cosine, minimum_factor: 0.1}}
                  optimizer_quantization_parameter: {learning_rate: 0.5}
                  train_bias: false
                  hessian_weights_config: {per_sample: false, hessians_num_samples: null, log_norm: false}
                  gradual_activation_quantization_config:
                    q_fraction_scheduler_policy: {initial_q_fraction: 0.1, target_q_fraction: 0.9, start_step: 2, end_step: 9}
                  regularization_factor: 0.02
                  rounding_type: STE
                  rounding_phases: {warm_up_fraction: 0.3, warm_up_regularization: false, hard_fraction: 0.1}
                  log_function: com.example.Log
                  gptq_quantizer_params_override:
                    quantization_parameter_learning: true
                    max_lsbs_change_map: {3: 2}
                training: {batch_size: 64, lanes: 8, shuffle: false, checkpoint_interval: 5, checkpoints_kept: 1, exchange: job,
                           exchange_timeout: 7, divergence_factor: null}
                output: {path: out, overwrite: true}
                seed: -4
                device: cpu
                allow_user_classes: true
                tracking: {tensorboard: {path: logs}, mlflow: {uri: "http://tracker:5000", experiment: w4}}
                """,
                "full.yaml",
                List.of());

        InputMapping input = new InputMapping(
                "image", "uint8", new long[] {1, 28, 28}, 0.5, new double[] {0.1, 0.2}, new double[] {0.25});
        Map<String, InputMapping> inputs = Map.of("input.1", input);
        assertThat(config.calibration()).isEqualTo(new DatasetConfig("c.npz", "npz", inputs, null, "id", 1000L));
        assertThat(config.evaluation()).isEqualTo(new DatasetConfig("e.parquet", null, inputs, "y", null, null));
        assertThat(config.quantization())
                .isEqualTo(new QuantizationConfig(
                        "tensorrt",
                        new QuantizationConfig.Weights(
                                3, QuantizationMethod.POWER_OF_TWO, false, ThresholdMethod.LP, 2.4, 7, null),
                        new QuantizationConfig.Activations(
                                8, QuantizationMethod.SYMMETRIC, false, ThresholdMethod.MSE, 2, 12),
                        List.of(
                                new LayerOverride(
                                        "/conv?/*",
                                        new LayerOverride.Values(2, QuantizationMethod.SYMMETRIC, ThresholdMethod.KL),
                                        new LayerOverride.Values(
                                                7, QuantizationMethod.POWER_OF_TWO, ThresholdMethod.MAE),
                                        false),
                                LayerOverride.skipping("head, \"last\"")),
                        MixedPrecisionConfig.builder()
                                .setBudget(new MixedPrecisionConfig.Budget(70_000L, 4.5, 8.0, 0.75))
                                .optWeightsBits(List.of(3, 4, 8))
                                .optActivationsBits(List.of(8, 16))
                                .optSensitivity(MixedPrecisionConfig.Sensitivity.OUTPUT_ERROR)
                                .optSamples(12)
                                .build(),
                        new PreparationConfig(
                                false, false, false, false, true, false, 0.25, true, true, true, true, true),
                        false,
                        17));
        GradientPTQConfig gptq = config.gptq();
        assertThat(gptq.optimizer())
                .isEqualTo(new OptimizerConfig(
                        OptimizerConfig.Type.ADAMW,
                        0.01,
                        0.8,
                        0.99,
                        1e-6,
                        0.1,
                        0,
                        false,
                        LearningRateSchedule.step(50, 0.5)));
        assertThat(gptq.optimizerRest())
                .isEqualTo(OptimizerConfig.builder(OptimizerConfig.Type.RMSPROP)
                        .optAlpha(0.9)
                        .optMomentum(0.1)
                        .build());
        assertThat(gptq.optimizerBias())
                .isEqualTo(OptimizerConfig.builder(OptimizerConfig.Type.SGD)
                        .optLearningRate(1e-4)
                        .optMomentum(0.9)
                        .optNesterov(true)
                        .optSchedule(LearningRateSchedule.cosine(0.1))
                        .build());
        assertThat(gptq.optimizerQuantizationParameter()).isEqualTo(OptimizerConfig.adam(0.5));
        assertThat(gptq.hessianWeightsConfig())
                .isEqualTo(new GPTQHessianScoresConfig(false, null, null, false, false, 32));
        assertThat(gptq.gradualActivationQuantizationConfig().qFractionSchedulerPolicy())
                .isEqualTo(new QFractionLinearAnnealingConfig(0.1, 0.9, 2, 9));
        assertThat(gptq.loss()).isEqualTo("com.example.Loss");
        assertThat(gptq.logFunction()).isEqualTo("com.example.Log");
        assertThat(gptq.regularizationFactor()).isEqualTo(0.02);
        assertThat(gptq.trainBias()).isFalse();
        assertThat(gptq.roundingType()).isEqualTo(RoundingType.STE);
        assertThat(gptq.roundingPhases()).isEqualTo(new RoundingPhasesConfig(0.3, false, 0.1));
        assertThat(gptq.quantizerParametersOverride().quantizationParameterLearning())
                .isTrue();
        assertThat(gptq.quantizerParametersOverride().maxLsbsChange(3)).isEqualTo(2);
        assertThat(config.training()).isEqualTo(new TrainingConfig(64, 8, false, 5, 1, "job", 7, null));
        assertThat(config.output()).isEqualTo(new OutputConfig("out", true));
        assertThat(config.seed()).isEqualTo(-4);
        assertThat(config.device()).isEqualTo("cpu");
        assertThat(config.allowUserClasses()).isTrue();
        assertThat(config.tracking()).isEqualTo(new TrackingConfig("logs", "http://tracker:5000", "w4"));
        assertThat(RunConfigReader.read(RunConfigReader.toYaml(config), "again.yaml", List.of()))
                .isEqualTo(config);
    }

    @Test
    void lossAndRegularizationFollowTheHessianWeights() {
        GradientPTQConfig perLayer =
                Minimal.with("gptq.hessian_weights_config.per_sample=false").gptq();
        GradientPTQConfig byLoss =
                Minimal.with("gptq.loss=multiple_tensors_mse").gptq();
        GradientPTQConfig none =
                Minimal.with("gptq.hessian_weights_config=null").gptq();

        assertThat(perLayer.loss()).isEqualTo("multiple_tensors_mse");
        assertThat(perLayer.regularizationFactor()).isEqualTo(0.01);
        assertThat(perLayer.hessianWeightsConfig()).isEqualTo(GPTQHessianScoresConfig.perLayerDefaults());
        assertThat(byLoss).isEqualTo(perLayer);
        assertThat(none.hessianWeightsConfig()).isNull();
        assertThat(none.loss()).isEqualTo("multiple_tensors_mse");
    }

    @Test
    void nullSwitchesOptionalSectionsOff() {
        RunConfig config = Minimal.with(
                "gptq.gradual_activation_quantization_config=null",
                "gptq.optimizer_bias=~",
                "data.evaluation=null",
                "gptq.log_function=");

        assertThat(config.gptq().gradualActivationQuantizationConfig()).isNull();
        assertThat(config.gptq().optimizerBias()).isNull();
        assertThat(config.gptq().resolvedOptimizerBias()).isEqualTo(OptimizerConfig.adam(1e-4));
        assertThat(config.evaluation()).isNull();
        assertThat(config.gptq().logFunction()).isNull();
    }

    @ParameterizedTest
    @CsvSource({"onnxruntime, UNIFORM, ", "imx500, POWER_OF_TWO, ", "tensorrt, SYMMETRIC, true"})
    void aPresetFillsTheQuantizationSection(String preset, QuantizationMethod method, Boolean signed) {
        QuantizationConfig config =
                Minimal.with("quantization.preset=" + preset).quantization();

        assertThat(config.activations().method()).isEqualTo(method);
        assertThat(config.activations().signed()).isEqualTo(signed);
        assertThat(config.weights())
                .isEqualTo(
                        new QuantizationConfig.Weights(8, QuantizationMethod.SYMMETRIC, true, ThresholdMethod.MSE, 2));
    }

    @Test
    void thePreparationHasTheDefaultsOfTheReference() {
        PreparationConfig expected =
                new PreparationConfig(true, true, true, true, false, true, 0.05, false, false, false, false, false);

        assertThat(Minimal.with().quantization().preparation()).isEqualTo(expected);
        assertThat(PreparationConfig.builder().build()).isEqualTo(expected);
    }

    /** One flag at a time: a key that reached another record component would show. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "batch_norm_folding",
                "batch_norm_forward_folding",
                "linear_collapsing",
                "residual_collapsing",
                "relu_bound_to_power_of_2",
                "shift_negative_activation_correction",
                "shift_negative_params_search",
                "concat_threshold_update",
                "softmax_shift",
                "weights_second_moment_correction",
                "activation_smoothing"
            })
    void everyPreparationFlagReachesItsOwnComponent(String key) {
        boolean changed = !RunConfigReader.toYaml(Minimal.with()).contains(key + ": true");
        RunConfig config = Minimal.with("quantization.preparation." + key + "=" + changed);

        List<String> before = RunConfigReader.toYaml(Minimal.with()).lines().toList();
        List<String> after = RunConfigReader.toYaml(config).lines().toList();
        assertThat(after.stream().filter(line -> !before.contains(line) || line.contains(key + ":")))
                .containsExactly("    " + key + ": " + changed);
    }

    @Test
    void overridesBeatTheFileWhichBeatsThePresetWhichBeatsTheDefaults() {
        String file = Minimal.YAML + "quantization: {preset: imx500, weights: {bits: 4}}\nseed: 1\n";

        RunConfig asWritten = RunConfigReader.read(file, "run.yaml", List.of());
        RunConfig fileOverPreset =
                RunConfigReader.read(file + "device: cpu", "run.yaml", List.of("quantization.preset=tensorrt"));
        RunConfig lastWins =
                RunConfigReader.read(file, "run.yaml", List.of("seed=2", "quantization.weights.bits=3", "seed=5"));

        assertThat(asWritten.quantization().activations().method()).isEqualTo(QuantizationMethod.POWER_OF_TWO);
        assertThat(asWritten.quantization().weights().bits()).isEqualTo(4);
        assertThat(asWritten.quantization().weights().perChannel()).isTrue();
        assertThat(fileOverPreset.quantization().activations().method()).isEqualTo(QuantizationMethod.SYMMETRIC);
        assertThat(fileOverPreset.quantization().weights().bits()).isEqualTo(4);
        assertThat(lastWins.quantization().weights().bits()).isEqualTo(3);
        assertThat(lastWins.seed()).isEqualTo(5);
    }

    @Test
    void anOverrideCreatesMissingSectionsAndReachesKeysWithDots() {
        RunConfig config = Minimal.with(
                "data.evaluation.path=e.parquet",
                "data.evaluation.label=y",
                "data.calibration.inputs.\"input.1\".column=image",
                "gptq.optimizer.schedule={type: cosine}",
                "output.path=a=b");

        assertThat(config.evaluation().path()).isEqualTo("e.parquet");
        assertThat(config.calibration().inputs()).containsEntry("input.1", InputMapping.of("image"));
        assertThat(config.gptq().optimizer().schedule()).isEqualTo(LearningRateSchedule.cosine(0));
        assertThat(config.gptq().optimizer().learningRate()).isEqualTo(0.03);
        assertThat(config.output().path()).isEqualTo("a=b");
    }

    @Test
    void anotherOptimizerTypeStartsFromTorchsDefaults() {
        OptimizerConfig sgd = Minimal.with("gptq.optimizer.type=sgd").gptq().optimizer();
        OptimizerConfig adam =
                Minimal.with("gptq.optimizer.weight_decay=0.5").gptq().optimizer();

        assertThat(sgd).isEqualTo(OptimizerConfig.sgd(1e-3, 0));
        assertThat(adam)
                .isEqualTo(OptimizerConfig.builder(OptimizerConfig.Type.ADAM)
                        .optLearningRate(0.03)
                        .optWeightDecay(0.5)
                        .build());
    }

    @Test
    void theCommentedDefaultsNameEveryKeyAndReadBackAsTheDefaults() {
        String yaml = RunConfigReader.defaultsAsYaml();

        RunConfig config = RunConfigReader.read(yaml, "defaults", List.of());
        assertThat(config.gptq()).isEqualTo(GradientPTQConfig.defaults(5));
        assertThat(config.quantization()).isEqualTo(QuantizationConfig.defaults());
        assertThat(config.training()).isEqualTo(TrainingConfig.defaults());
        for (ConfigKey key : ConfigKeys.ALL) {
            if (!key.name().equals("*")) {
                assertThat(yaml).containsPattern("(?m)^ *(# )?" + key.name() + ":");
            }
        }
    }

    @Test
    void hmseSurvivesTheRoundTripForTheModelAndForALayer() {
        RunConfig config = Minimal.with(
                "quantization.weights.threshold_method=hmse",
                "quantization.layers=[{name: a, weights: {threshold_method: HMSE}}]");

        assertThat(config.quantization().weights().thresholdMethod()).isEqualTo(ThresholdMethod.HMSE);
        assertThat(config.quantization().layers().get(0).weights().thresholdMethod())
                .isEqualTo(ThresholdMethod.HMSE);
        assertThat(RunConfigReader.read(RunConfigReader.toYaml(config), "again.yaml", List.of()))
                .isEqualTo(config);
        assertThat(RunConfigReader.defaultsAsYaml()).contains("hmse: squared error weighted by the Hessian");
    }

    @Test
    void textThatYamlWouldMisreadSurvivesTheRoundTrip() {
        RunConfig config = RunConfig.builder()
                .setModel("null")
                .setCalibration(DatasetConfig.of("a: b # c", Map.of("no \"é\"\n", InputMapping.of("1e5"))))
                .setGptq(GradientPTQConfig.defaults(1))
                .setOutput(new OutputConfig("-", false))
                .build();

        assertThat(RunConfigReader.read(RunConfigReader.toYaml(config), "x", List.of()))
                .isEqualTo(config);
    }

    @Test
    void aProgrammaticConfigurationReportsBadInput() {
        assertThatThrownBy(() -> new TrainingConfig(30, 4, 1, 1))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT))
                .hasMessage("Cannot use lanes 4: it is not a power of two that divides batch_size 30. "
                        + "Use for example 2.");
    }
}
