package dev.gptq.spark.run;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import dev.gptq.config.RunConfig;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import dev.gptq.spark.data.ModelFolder;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** A run of a model whose constants do not fit into its file, at a limit that a small one passes. */
class ConstantsOutsideRunTest {
    private static final long LIMIT = 100_000;

    @TempDir
    Path folder;

    @Test
    void theModelIsReadAndWrittenInTwoFilesAndComesOutAsFromOne() throws Exception {
        TestModel.writeSamples(folder.resolve("data"), 1);
        Path apart = Files.createDirectory(folder.resolve("apart"));
        OnnxModel model = OnnxWriter.write(TestModel.wideGraph(), LIMIT, "weights.bin");
        Files.write(apart.resolve("model.onnx"), model.file());
        try (OutputStream out = Files.newOutputStream(apart.resolve("weights.bin"))) {
            model.writeOutside(out);
        }
        TestModel.writeWideModel(folder.resolve("model.onnx"));

        RunMetrics whole = run(folder.resolve("model.onnx"), folder.resolve("whole"));
        RunMetrics parts;
        Configuration hadoop = TestSpark.context().hadoopConfiguration();
        hadoop.setLong(ModelFolder.FILE_LIMIT, LIMIT);
        try {
            parts = run(apart.resolve("model.onnx"), folder.resolve("parts"));
        } finally {
            hadoop.unset(ModelFolder.FILE_LIMIT);
        }

        assertThat(folder.resolve("parts/quantized.onnx.data")).exists();
        assertThat(folder.resolve("parts/ptq.onnx.data")).exists();
        assertThat(folder.resolve("whole/quantized.onnx.data")).doesNotExist();
        assertThat(Files.readString(folder.resolve("parts/MANIFEST.json"))).contains("quantized.onnx.data");
        assertThat(parts.gptq().sqnrDb()).isEqualTo(whole.gptq().sqnrDb());
        try (OrtSession session = OrtEnvironment.getEnvironment()
                .createSession(folder.resolve("parts/quantized.onnx").toString())) {
            assertThat(session.getInputNames()).containsExactly("input");
        }
    }

    private RunMetrics run(Path model, Path output) {
        RunConfig config = TestModel.config(folder, output)
                .setModel(model.toString())
                .setGptq(TestModel.gptq(0))
                .build();
        return GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE)
                .metrics();
    }
}
