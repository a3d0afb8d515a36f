package dev.gptq.config;

import dev.gptq.GptqException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class RecipeTest {
    private static final String ACCURATE = "recipe=accurate";

    @Test
    void theDefaultRecipeHasTheDefaultsOfTheReference() {
        assertThat(Minimal.with("recipe=mct")).isEqualTo(Minimal.with());
        assertThat(Minimal.with().recipe()).isEqualTo(Recipe.MCT);
        assertThat(Recipe.MCT.gptq().setNEpochs(3).build()).isEqualTo(GradientPTQConfig.defaults(3));
        assertThat(Recipe.MCT.training()).isEqualTo(TrainingConfig.defaults());
        assertThat(Recipe.MCT.quantization()).isEqualTo(QuantizationConfig.defaults());
    }

    @Test
    void theAccurateRecipeChangesWhatIsLeftOut() {
        RunConfig config = Minimal.with(ACCURATE);

        assertThat(config.recipe()).isEqualTo(Recipe.ACCURATE);
        assertThat(config.gptq().loss()).isEqualTo("multiple_tensors_mse");
        assertThat(config.gptq().hessianWeightsConfig()).isEqualTo(GPTQHessianScoresConfig.perLayerDefaults());
        assertThat(config.gptq().gradualActivationQuantizationConfig()).isNull();
        assertThat(config.gptq().quantizerParametersOverride().quantizationParameterLearning())
                .isTrue();
        assertThat(config.gptq().optimizerBias()).isEqualTo(OptimizerConfig.adam(1e-3));
        assertThat(config.gptq().optimizerQuantizationParameter()).isEqualTo(OptimizerConfig.adam(1e-3));
        assertThat(config.gptq().roundingPhases()).isEqualTo(new RoundingPhasesConfig(0.2, false, 0.05));
        assertThat(config.training().shuffle()).isTrue();
        assertThat(config.quantization().preparation().activationSmoothing()).isTrue();
        assertThat(config.gptq().nEpochs()).isEqualTo(3);
    }

    @Test
    void javaAndYamlGiveTheSameConfiguration() {
        RunConfig config = RunConfig.builder()
                .setModel("model.onnx")
                .setCalibration(Minimal.with().calibration())
                .optRecipe(Recipe.ACCURATE)
                .setGptq(Recipe.ACCURATE.gptq().setNEpochs(3).build())
                .setOutput(new OutputConfig("target/run", false))
                .build();

        assertThat(config).isEqualTo(Minimal.with(ACCURATE));
    }

    @ParameterizedTest
    @EnumSource(Recipe.class)
    void resolvedValuesArePrintedAndReadBackAsTheSameConfiguration(Recipe recipe) {
        RunConfig config = Minimal.with("recipe=" + recipe, "gptq.optimizer.type=SGD", "gptq.optimizer_bias=null");

        String yaml = RunConfigReader.toYaml(config);

        assertThat(yaml).contains("recipe: " + recipe + "\n");
        assertThat(RunConfigReader.read(yaml, "again.yaml", List.of())).isEqualTo(config);
    }

    /**
     * Every line that the recipe changed is changed back by writing the default's value, on the command line or in the file.
     */
    @Test
    void whateverIsWrittenWinsOverTheRecipe() {
        String defaults = RunConfigReader.toYaml(Minimal.with());

        RunConfig written = RunConfigReader.read(defaults.replace("recipe: mct", "recipe: accurate"), "x", List.of());
        RunConfig overridden =
                Minimal.with(ACCURATE, "gptq.gptq_quantizer_params_override.quantization_parameter_learning=false");

        assertThat(RunConfigReader.toYaml(written)).isEqualTo(defaults.replace("recipe: mct", "recipe: accurate"));
        assertThat(overridden.gptq().quantizerParametersOverride().quantizationParameterLearning())
                .isFalse();
        assertThat(overridden.gptq().loss()).isEqualTo("multiple_tensors_mse");
    }

    @Test
    void theOrderOfRecipeAndOverridesDoesNotMatter() {
        assertThat(Minimal.with(ACCURATE, "gptq.train_bias=false"))
                .isEqualTo(Minimal.with("gptq.train_bias=false", ACCURATE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gptq.loss=sample_layer_attention", "gptq.hessian_weights_config.per_sample=true"})
    void aLossOrWeightingThatIsWrittenReplacesTheRecipesWithAllThatBelongsToIt(String written) {
        GradientPTQConfig attention = Minimal.with(ACCURATE, written).gptq();

        assertThat(attention.loss()).isEqualTo("sample_layer_attention");
        assertThat(attention.hessianWeightsConfig()).isEqualTo(GPTQHessianScoresConfig.perSampleDefaults());
        assertThat(attention.regularizationFactor()).isEqualTo(GradientPTQConfig.REGULARIZATION_WITH_ATTENTION);
        assertThat(attention.quantizerParametersOverride().quantizationParameterLearning())
                .isTrue();
    }

    @Test
    void anOptimizerOfAnotherTypeHasNothingOfTheRecipes() {
        GradientPTQConfig sgd = Minimal.with(ACCURATE, "gptq.optimizer_quantization_parameter.type=SGD")
                .gptq();
        GradientPTQConfig slower = Minimal.with(ACCURATE, "gptq.optimizer_quantization_parameter.learning_rate=1e-5")
                .gptq();

        assertThat(sgd.optimizerQuantizationParameter()).isEqualTo(OptimizerConfig.sgd(1e-3, 0));
        assertThat(slower.optimizerQuantizationParameter().learningRate()).isEqualTo(1e-5);
        assertThat(slower.optimizerQuantizationParameter().type())
                .isEqualTo(Minimal.with(ACCURATE)
                        .gptq()
                        .optimizerQuantizationParameter()
                        .type());
    }

    /** Where presets differ from each other, the recipe has to be the same under all of them: it says nothing there. */
    @ParameterizedTest
    @EnumSource(Recipe.class)
    void aPresetDecidesWhereBothHaveAValue(Recipe recipe) {
        Set<String> byPreset = new HashSet<>();
        Set<String> byRecipe = new HashSet<>();
        for (String preset : QuantizationConfig.PRESETS) {
            String set = "quantization.preset=" + preset;
            byPreset.add(changed(Minimal.with(), Minimal.with(set)).toString());
            byRecipe.add(changed(Minimal.with("recipe=" + recipe), Minimal.with("recipe=" + recipe, set))
                    .toString());
        }
        assertThat(byPreset).hasSameSizeAs(QuantizationConfig.PRESETS);
        assertThat(byRecipe).isEqualTo(byPreset);
    }

    private static Set<String> changed(RunConfig from, RunConfig to) {
        Set<String> lines = new TreeSet<>(RunConfigReader.toYaml(to).lines().toList());
        RunConfigReader.toYaml(from).lines().forEach(lines::remove);
        return lines;
    }

    @Test
    void anUnknownRecipeIsRefused() {
        assertThatThrownBy(() -> Minimal.with("recipe=best"))
                .isInstanceOf(GptqException.class)
                .hasMessage("Cannot use recipe best (--set recipe=best): expected one of its names. "
                        + "Allowed: mct or accurate.");
    }

    @ParameterizedTest
    @EnumSource(Recipe.class)
    void theCommentedConfigurationOfARecipeHasItsValues(Recipe recipe) {
        String yaml = RunConfigReader.defaultsAsYaml(List.of("recipe=" + recipe));

        RunConfig config = RunConfigReader.read(yaml, "defaults", List.of());

        assertThat(config.gptq()).isEqualTo(recipe.gptq().setNEpochs(5).build());
        assertThat(config.training()).isEqualTo(recipe.training());
    }
}
