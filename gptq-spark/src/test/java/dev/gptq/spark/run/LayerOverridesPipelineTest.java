package dev.gptq.spark.run;

import dev.gptq.config.LayerOverride;
import dev.gptq.config.LayerOverride.Values;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.RunConfig;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class LayerOverridesPipelineTest {
    @TempDir
    static Path folder;

    @BeforeAll
    static void write() throws IOException {
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data"), 2);
    }

    @Test
    void aSkippedLayerIsNeitherScoredNorTrainedNorReported() {
        RunMetrics metrics = run(
                "skip",
                LayerOverride.skipping("conv1"),
                LayerOverride.ofWeights("conv?", new Values(3, QuantizationMethod.UNIFORM, null)),
                LayerOverride.ofWeights("classes", Values.ofBits(5)));

        assertThat(metrics.layers()).extracting(RunMetrics.Layer::name).containsExactly("conv2", "classes");
        assertThat(metrics.layers()).extracting(RunMetrics.Layer::bits).containsExactly(3, 5);
        assertThat(metrics.train().steps()).isEqualTo(9);
        String scores = folder.resolve("skip/hessian_scores.parquet").toString();
        assertThat(TestSpark.session().read().parquet(scores).columns()).containsExactly("sample", "conv2", "classes");
    }

    @Test
    void anOverrideOfNoLayerIsFoundBeforeAnyDataIsRead() {
        assertThatThrownBy(() -> run("none", LayerOverride.skipping("conv3")))
                .hasMessageContainingAll("'conv3'", "The nearest names are conv1, conv2, classes");
        assertThat(folder.resolve("none")).doesNotExist();
    }

    private static RunMetrics run(String output, LayerOverride... overrides) {
        String path = folder.resolve(output).toString();
        RunConfig config = TestModel.config(folder, folder.resolve(output))
                .setGptq(TestModel.gptq(1))
                .optQuantization(QuantizationConfig.defaults().withLayers(List.of(overrides)))
                .setOutput(new OutputConfig(path, false))
                .build();
        return GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE)
                .metrics();
    }
}
