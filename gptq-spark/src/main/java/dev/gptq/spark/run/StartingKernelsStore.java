package dev.gptq.spark.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.calibrate.StartingKernels;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.spark.data.Crc32cCounter;
import dev.gptq.spark.data.RunFiles;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The folder starting_kernels: a file of little-endian float32 for each kernel, and index.json, which is written last and
 * names them with their checksums.
 */
final class StartingKernelsStore {
    private static final String INDEX = RunDirectory.STARTING_KERNELS + "/index.json";
    private static final ObjectMapper JSON =
            new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    private StartingKernelsStore() {}

    record Entry(String kernel, String file, String crc32c) {}

    static boolean isThere(RunFiles files) {
        return files.exists(INDEX);
    }

    static void write(RunFiles files, StartingKernels kernels) {
        files.delete(RunDirectory.STARTING_KERNELS);
        List<Entry> entries = new ArrayList<>();
        kernels.byWeight().forEach((name, kernel) -> {
            float[] values = kernel.floats();
            ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
                    .order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(values);
            String file = entries.size() + ".f32";
            files.write(RunDirectory.STARTING_KERNELS + "/" + file, bytes.array());
            entries.add(new Entry(name, file, Crc32cCounter.of(bytes.array())));
        });
        try {
            files.write(INDEX, JSON.writeValueAsBytes(entries));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The kernels, in the shapes that they have in {@code graph}. */
    static StartingKernels read(RunFiles files, Graph graph) {
        Map<String, TensorData> kernels = new HashMap<>();
        for (Entry entry : index(files)) {
            byte[] bytes = files.read(RunDirectory.STARTING_KERNELS + "/" + entry.file());
            TensorData kernel = graph.constants().get(entry.kernel());
            if (kernel == null
                    || bytes.length != kernel.size() * (long) Float.BYTES
                    || !Crc32cCounter.of(bytes).equals(entry.crc32c())) {
                throw damaged(entry.file() + " is not what was written", null);
            }
            float[] values = new float[kernel.size()];
            ByteBuffer.wrap(bytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(values);
            kernels.put(entry.kernel(), TensorData.ofFloats(values, kernel.shape()));
        }
        return new StartingKernels(kernels);
    }

    /** Identifies the kernels: the checksum of the index, which has those of all files. */
    static String identity(RunFiles files) {
        return Crc32cCounter.of(files.read(INDEX));
    }

    private static List<Entry> index(RunFiles files) {
        try {
            return List.of(JSON.readValue(files.readText(INDEX), Entry[].class));
        } catch (JsonProcessingException e) {
            throw damaged("index.json: " + e.getOriginalMessage(), e);
        }
    }

    private static GptqException damaged(String reason, Exception cause) {
        return new GptqException(
                ErrorCode.IO,
                "Cannot read the folder %s: %s. Delete it and the folder %s, and start the run again."
                        .formatted(RunDirectory.STARTING_KERNELS, reason, RunDirectory.CHECKPOINTS),
                cause);
    }
}
