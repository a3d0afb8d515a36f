package dev.gptq.spark.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gptq.config.LayerOverride;
import dev.gptq.config.LayerOverride.Values;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.hessian.WeightHessian;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import dev.gptq.spark.calibrate.CalibrateStage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class HessianThresholdsPipelineTest {
    private static final QuantizationConfig MSE = QuantizationConfig.defaults();

    @TempDir
    private Path folder;

    @Test
    void thePlanIsTheSameForAnyPartitionsAndDiffersWhereHmseIsAskedFor() throws IOException {
        QuantizationConfig hmse =
                MSE.withLayers(List.of(LayerOverride.ofWeights("conv2", new Values(3, null, ThresholdMethod.HMSE))));
        QuantizationConfig mse = MSE.withLayers(List.of(LayerOverride.ofWeights("conv2", Values.ofBits(3))));
        GptqPipelineTest.RecordingListener heard = new GptqPipelineTest.RecordingListener();

        String one = plan("one", 1, hmse, heard);
        String three = plan("three", 3, hmse, ProgressListener.NONE);
        String other = plan("mse", 1, mse, ProgressListener.NONE);

        assertThat(three).isEqualTo(one);
        assertThat(thresholds(one, "conv2")).isNotEqualTo(thresholds(other, "conv2"));
        assertThat(thresholds(one, "conv1")).isEqualTo(thresholds(other, "conv1"));
        long blocks = (TestModel.SAMPLES + CalibrateStage.BLOCK_SIZE - 1) / CalibrateStage.BLOCK_SIZE;
        assertThat(heard.events).contains("advanced calibrate " + (blocks + WeightHessian.SAMPLES));
    }

    private String plan(String name, int partitions, QuantizationConfig quantization, ProgressListener listener)
            throws IOException {
        Path place = Files.createDirectory(folder.resolve(name));
        TestModel.writeModel(place.resolve("model.onnx"));
        TestModel.writeSamples(place.resolve("data"), partitions);
        Path output = place.resolve("run");
        RunConfig config = TestModel.config(place, output)
                .setGptq(TestModel.gptq(1))
                .optQuantization(quantization)
                .setOutput(new OutputConfig(output.toString(), false))
                .build();
        GptqPipeline.run(config, TestSpark.session(), listener);
        return Files.readString(output.resolve("plan.json"));
    }

    private static JsonNode thresholds(String plan, String layer) throws IOException {
        for (JsonNode weights : new ObjectMapper().readTree(plan).get("weights")) {
            if (weights.get("point").get("name").asText().equals(layer)) {
                return weights.get("threshold");
            }
        }
        throw new AssertionError("no layer " + layer);
    }
}
