package dev.gptq.config;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class RunConfigErrorsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "seed=abc | seed abc | expected a whole number",
                "seed='1' | seed '1' | expected a whole number",
                "gptq.n_epochs=2.5 | gptq.n_epochs 2.5 | expected a whole number",
                "gptq.n_epochs=[1] | gptq.n_epochs [1] | expected a whole number",
                "gptq.n_epochs=99999999999 | gptq.n_epochs 99999999999 | expected a whole number",
                "gptq.n_epochs=null | gptq.n_epochs null | Allowed: a whole number from 0 up",
                "gptq.train_bias=yes | gptq.train_bias yes | expected true or false",
                "gptq.optimizer.learning_rate=0x1p3 | gptq.optimizer.learning_rate | expected a number",
                "gptq.optimizer.learning_rate=fast | gptq.optimizer.learning_rate fast | Allowed: a number above 0",
                "gptq.optimizer.learning_rate=0 | gptq.optimizer.learning_rate 0.0 | above 0",
                "gptq.optimizer.learning_rate=.nan | gptq.optimizer.learning_rate NaN | above 0",
                "gptq.optimizer_bias.learning_rate=-1 | gptq.optimizer_bias.learning_rate -1.0 | above 0",
                "gptq.optimizer_bias.momentum=x | gptq.optimizer_bias.momentum x | Allowed: a number from 0 up",
                "gptq.optimizer.betas=[0.9] | gptq.optimizer.betas [0.9] | two, for example",
                "gptq.optimizer.betas=[0.9, 1] | gptq.optimizer.betas 1.0 | 0 <= x < 1",
                "gptq.optimizer.momentum=0.9 | gptq.optimizer.momentum 0.9 | type Adam does not have it",
                "gptq.optimizer_bias.betas=[0.1, 0.2] | gptq.optimizer_bias.betas | type SGD does not have it",
                "gptq.optimizer.type=Lion | gptq.optimizer.type Lion | Adam, AdamW, RAdam, SGD or RMSprop",
                "gptq.optimizer=null | gptq.optimizer null | Adam with learning rate 0.03",
                "gptq.optimizer=fast | gptq.optimizer fast | expected a section of keys",
                "gptq.optimizer.schedule={type: step} | gptq.optimizer.schedule.step_size 0 | Use 1 or more",
                "gptq.optimizer.schedule={gamma: 1} | gptq.optimizer.schedule.gamma 1 | type constant does not have it",
                "gptq.hessian_weights_config.log_norm=true | gptq.hessian_weights_config.log_norm true | attention",
                "gptq.regularization_factor=-1 | gptq.regularization_factor -1.0 | from 0 up",
                "gptq.rounding_phases.warm_up_fraction=1 | gptq.rounding_phases.warm_up_fraction 1.0 | 0 <= x < 1",
                "gptq.rounding_phases.hard_fraction=0.8 | gptq.rounding_phases.hard_fraction 0.8 | sum is below 1",
                "gptq.rounding_phases.warm_up_regularization=1 | gptq.rounding_phases.warm_up_regularization 1 | true or false",
                "gptq.rounding_type=LSQ | gptq.rounding_type LSQ | SoftQuantizer or STE",
                "gptq.loss=com.example.Loss | gptq.loss com.example.Loss | allow_user_classes to true",
                "gptq.log_function=com.example.Log | gptq.log_function com.example.Log | allow_user_classes to true",
                "gptq.log_function=Log | gptq.log_function Log | full name of a class",
                "quantization.preset=imx50 | quantization.preset imx50 | 'imx500'",
                "quantization.weights.bits=9 | quantization.weights.bits 9 | 2 to 8",
                "quantization.weights.first_and_last_bits=16 | quantization.weights.first_and_last_bits 16 | 2 to 8",
                "quantization.weights.bits=1 | quantization.weights.bits 1 | 2 to 8",
                "quantization.activations.bits=9 | quantization.activations.bits 9 | 2 to 8, or 16",
                "quantization.layers=[{name: a, activations: {bits: 1}}] | quantization.layers[0].activations.bits 1 | 16",
                "quantization.activations.signed=maybe | quantization.activations.signed maybe | auto, true or false",
                "quantization.activations.threshold_method=hmse | quantization.activations.threshold_method hmse | Use mse",
                "quantization.activations.z_threshold=0 | quantization.activations.z_threshold 0.0 | .inf",
                "quantization.preparation.shift_negative_ratio=0 | quantization.preparation.shift_negative_ratio 0.0 | 0.05",
                "quantization.preparation.shift_negative_ratio=2 | quantization.preparation.shift_negative_ratio 2.0 | <= 1",
                "quantization.preparation.softmax_shift=1 | quantization.preparation.softmax_shift 1 | true or false",
                "quantization.layers={} | quantization.layers {} | expected a list of sections",
                "quantization.layers=[conv1] | quantization.layers conv1 | expected a list of sections",
                "quantization.layers=[{skip: true}] | quantization.layers[0].name null | it is required",
                "quantization.layers=[{name: a}] | quantization.layers[0].name a | sets nothing",
                "quantization.layers=[{name: a, skip: 1}] | quantization.layers[0].skip 1 | true or false",
                "quantization.layers=[{name: a, weights: {bits: 9}}] | quantization.layers[0].weights.bits 9 | 2 to 8",
                "quantization.mixed_precision={} | quantization.mixed_precision.budget null | Set budget.size",
                "quantization.mixed_precision={budget: {weights_bits: 0}} | quantization.mixed_precision.budget.weights_bits 0.0 | above 0",
                "quantization.mixed_precision={budget: {size: 9}, weights_bits: [1]} | quantization.mixed_precision.weights_bits 1 | 2 to 8",
                "quantization.mixed_precision={budget: {size: 9}, weights_bits: []} | quantization.mixed_precision.weights_bits [] | [4, 8]",
                "quantization.mixed_precision={budget: {size: 9}, samples: 0} | quantization.mixed_precision.samples 0 | 1 or more",
                "quantization.opset=12 | quantization.opset 12 | 13 to 23",
                "training.lanes=3 | training.lanes 3 | power of two",
                "training.lanes=64 | training.lanes 64 | divides batch_size 32",
                "training.exchange=ring | training.exchange ring | Use one of auto, job, barrier",
                "training.exchange_timeout=0 | training.exchange_timeout 0 | Use 1 or more",
                "training.batch_size=0 | training.batch_size 0 | Use 1 or more",
                "device=tpu | device tpu | auto, cpu, gpu",
                "data.calibration.path='' | data.calibration.path '' | it is required",
                "data.calibration.limit=0 | data.calibration.limit 0 | Use 1 or more",
                "data.calibration.format=cvs | data.calibration.format cvs | parquet, orc, avro",
                "data.calibration.inputs={} | data.calibration.inputs {} | Map each model input",
                "data.calibration.inputs.input.std=0 | data.calibration.inputs.input.std [0.0] | positive",
                "data.calibration.inputs.input.std=[1, x] | data.calibration.inputs.input.std [1, x] | list of numbers",
                "data.calibration.inputs.input.type=int16 | data.calibration.inputs.input.type int16 | uint8",
                "data.calibration.inputs.input.shape=[0] | data.calibration.inputs.input.shape [0] | batch dimension",
                "data.calibration.inputs.input.mean=[] | data.calibration.inputs.input.mean [] | is empty",
            })
    void aBadValueIsReportedWithItsPathAndARemedy(String override, String keyAndValue, String remedy) {
        GptqException error = failure(override);

        assertThat(error).hasMessageStartingWith("Cannot use " + keyAndValue).hasMessageContaining(remedy);
        assertThat(error.getMessage())
                .contains("(--set " + override.replace("|", ""))
                .doesNotContain("\n");
    }

    @Test
    void aBadValueInTheFileIsReportedWithItsLine() {
        assertThatThrownBy(() -> read("model: m\n\nseed: oops\n"))
                .hasMessage("Cannot use data.calibration.path null (run.yaml): it is required. "
                        + "Set it to a file, a folder or a glob, or to a list of them.");
        assertThatThrownBy(() -> read(Minimal.YAML + "\nseed: oops\n"))
                .hasMessage(
                        "Cannot use seed oops (run.yaml, line 8): expected a whole number. Allowed: a whole number.");
    }

    @Test
    void anUnknownKeyIsAnsweredWithTheNearestOne() {
        assertThatThrownBy(() -> read(Minimal.YAML.replace("n_epochs", "nepochs")))
                .hasMessageStartingWith(
                        "Cannot use key gptq.nepochs (run.yaml, line 5): it is unknown; the nearest known name is 'n_epochs'.");
        assertThat(failure("gptq.optimizer_rest.lerning_rate=1"))
                .hasMessageContainingAll("gptq.optimizer_rest.lerning_rate", "'learning_rate'");
        assertThat(failure("data.calibration.inputs.input.colum=1")).hasMessageContaining("'column'");
        assertThat(failure("zzzzzz=1")).hasMessageContaining("A configuration has the keys model, data");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a: 1\\na: 2 | line 2 | key 'a' is there twice",
                "a: !!java.net.URL [x] | line 1 | type tag",
                "a: !!int 3 | line 1 | type tag",
                "a: &x [*x] | line 1 | no finished anchor",
                "a: *x | line 1 | no finished anchor",
                "a: [1 | line | not valid YAML",
                "a: 1\\n---\\nb: 2 | line 2 | second document",
                "? [a] \\n: 1 | line 1 | a key is not a plain word",
                "[1, 2] | run.yaml | a list",
                "word | run.yaml | a single value",
            })
    void aFileThatIsNoPlainYamlMappingIsRefused(String yaml, String place, String problem) {
        assertThatThrownBy(() -> read(yaml.replace("\\n", "\n")))
                .isInstanceOf(GptqException.class)
                .hasMessageStartingWith("Cannot read run.yaml")
                .hasMessageContainingAll(place, problem);
    }

    @Test
    void aliasesMayBeUsedButNotToGrowWithoutBound() {
        String shared = Minimal.YAML.replace(
                "n_epochs: 3", "n_epochs: 3\n  optimizer: &o {learning_rate: 0.5}\n" + "  optimizer_rest: *o");
        StringBuilder bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 9; i++) {
            bomb.append("a%d: &a%d [".formatted(i, i))
                    .append("*a%d, ".formatted(i - 1).repeat(10))
                    .append("]\n");
        }

        assertThat(read(shared).gptq().optimizerRest().learningRate()).isEqualTo(0.5);
        assertThatThrownBy(() -> read(bomb.toString())).hasMessageContaining("more than 20000 values");
        assertThatThrownBy(() -> read("a: " + "[".repeat(40) + "]".repeat(40))).hasMessageContaining("too deeply");
        assertThatThrownBy(() -> read("#" + "x".repeat(1 << 20))).hasMessageContaining("more than a configuration");
    }

    @ParameterizedTest
    @CsvSource({"gptq.n_epochs", "=3", "gptq..n_epochs=3", ".seed=1", "seed.=1"})
    void anOverrideThatIsNoAssignmentIsRefused(String override) {
        assertThat(failure(override)).hasMessageContainingAll("--set " + override, "path.to.key=value");
    }

    @Test
    void anOverrideCannotLeadThroughAValue() {
        assertThat(failure("model.path=x")).hasMessageContainingAll("'model' is model.onnx", "not a section");
    }

    @Test
    void uniformWeightsCannotBeTrainedWithTheStraightThroughEstimator() {
        assertThatThrownBy(() -> Minimal.with("gptq.rounding_type=STE", "quantization.weights.method=uniform"))
                .hasMessageContainingAll("gptq.rounding_type STE", "no quantizer for uniform weights");
        assertThatThrownBy(() -> Minimal.with(
                        "gptq.rounding_type=STE", "quantization.layers=[{name: a, weights: {method: uniform}}]"))
                .hasMessageContainingAll("gptq.rounding_type STE", "no quantizer for uniform weights");
    }

    @Test
    void hmseThresholdsNeedTraining() {
        for (String hmse : List.of(
                "quantization.weights.threshold_method=hmse",
                "quantization.layers=[{name: a, weights: {threshold_method: hmse}}]")) {
            assertThat(Minimal.with(hmse).quantization().possibleWeights())
                    .anyMatch(weights -> weights.thresholdMethod() == ThresholdMethod.HMSE);
            assertThatThrownBy(() -> Minimal.with(hmse, "gptq.n_epochs=0"))
                    .isInstanceOf(GptqException.class)
                    .hasMessageContainingAll(
                            "Cannot use gptq.n_epochs 0",
                            "hmse is for runs with gradient training only",
                            "Use 1 or more, or set quantization.weights.threshold_method");
        }
    }

    @Test
    void hmseIsNotForActivationsOfALayer() {
        assertThat(failure("quantization.layers=[{name: a, activations: {threshold_method: hmse}}]"))
                .hasMessageContainingAll("quantization.layers[0].activations.threshold_method hmse", "Use mse");
    }

    @Test
    void anUnknownKeyInAListIsReportedWithItsPlace() {
        assertThat(failure("quantization.layers=[{name: a, skip: true}, {name: b, weights: {bit: 4}}]"))
                .hasMessageContainingAll("key quantization.layers[1].weights.bit ", "nearest known name is 'bits'");
    }

    private static GptqException failure(String override) {
        try {
            Minimal.with(override);
        } catch (GptqException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT);
            return e;
        }
        throw new AssertionError("accepted " + override);
    }

    private static RunConfig read(String yaml) {
        return RunConfigReader.read(yaml, "run.yaml", List.of());
    }
}
