package dev.gptq.spark.run;

import dev.gptq.hessian.LossWeights;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.spark.data.Crc32cCounter;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.data.StoreIndex;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/** What a training is given, as names for messages and hashes; checkpoints keep it, so that none is used for another one. */
final class TrainingInputs {
    private TrainingInputs() {}

    static Map<String, String> of(RunDirectory directory, OnnxModel model, LossWeights weights) {
        RunFiles files = directory.files();
        String index = RunDirectory.CALIBRATION_SAMPLES + "/" + StoreIndex.FILE_NAME;
        Map<String, String> inputs = new HashMap<>(Map.of(
                "configuration", directory.fingerprint().configSha256(),
                "model", Crc32cCounter.of(model::writeAll),
                // The index holds the checksums of all samples.
                "calibration samples", Crc32cCounter.of(files.read(index)),
                "quantization plan", Crc32cCounter.of(files.read(RunDirectory.PLAN)),
                // Means over samples: scores of a single sample show in them.
                "loss weights", crc32c(weights.perLayer(), weights.regularizer())));
        if (StartingKernelsStore.isThere(files)) {
            inputs.put("starting kernels", StartingKernelsStore.identity(files));
        }
        return inputs;
    }

    private static String crc32c(float[]... arrays) {
        Crc32cCounter crc = new Crc32cCounter();
        for (float[] array : arrays) {
            ByteBuffer bytes = ByteBuffer.allocate(array.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(array);
            crc.update(bytes.array());
        }
        return crc.value();
    }
}
