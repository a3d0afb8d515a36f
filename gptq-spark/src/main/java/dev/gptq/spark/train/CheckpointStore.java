package dev.gptq.spark.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.gptq.spark.data.Crc32cCounter;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.train.RoundingTrainer;
import dev.gptq.train.TrainerState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Checkpoints of a run directory: {@code checkpoints/step-N/arrays.bin} (little-endian float32 arrays one after the other,
 * then three float64 numbers per step: loss, distillation loss, regularization) and {@code MANIFEST.json}, which is written
 * last and holds names, lengths and the CRC32C of arrays.bin. A checkpoint without a valid manifest does not count.
 */
final class CheckpointStore {
    private static final String FOLDER = "checkpoints";
    private static final String PREFIX = "step-";
    private static final String ARRAYS = "arrays.bin";
    private static final String MANIFEST = "MANIFEST.json";
    private static final int NUMBERS_PER_STEP = 3;
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final RunFiles files;
    private final int kept;

    /** Keeps the {@code kept} newest checkpoints. */
    CheckpointStore(RunFiles files, int kept) {
        this.files = files;
        this.kept = kept;
    }

    /** Content of a checkpoint's MANIFEST.json. */
    record Manifest(int step, Map<String, Integer> arrays, int history, String crc32c) {}

    /** Writes a checkpoint and then deletes those that are too old. */
    void write(Checkpoint checkpoint) {
        byte[] arrays = encode(checkpoint);
        Map<String, Integer> lengths = new LinkedHashMap<>();
        checkpoint.state().arrays().forEach((name, values) -> lengths.put(name, values.length));
        Manifest manifest = new Manifest(
                checkpoint.state().step(), lengths, checkpoint.history().size(), Crc32cCounter.of(arrays));
        String folder = folder(checkpoint.state().step());
        files.delete(folder);
        files.write(folder + "/" + ARRAYS, arrays);
        try {
            files.write(folder + "/" + MANIFEST, JSON.writeValueAsBytes(manifest));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
        List<Integer> steps = steps();
        for (int step : steps.subList(0, Math.max(0, steps.size() - kept))) {
            files.delete(folder(step));
        }
    }

    /** The newest checkpoint that is complete and unchanged; {@code warnings} hears of those that are not. */
    Optional<Checkpoint> newest(Consumer<String> warnings) {
        List<Integer> steps = steps();
        for (int i = steps.size() - 1; i >= 0; i--) {
            String folder = folder(steps.get(i));
            if (!files.exists(folder + "/" + MANIFEST) || !files.exists(folder + "/" + ARRAYS)) {
                warnings.accept("Checkpoint '" + folder + "' is incomplete; an older one is used.");
                continue;
            }
            byte[] arrays = files.read(folder + "/" + ARRAYS);
            Manifest manifest = manifest(folder);
            if (manifest != null && manifest.crc32c().equals(Crc32cCounter.of(arrays))) {
                return Optional.of(decode(manifest, arrays));
            }
            warnings.accept("Checkpoint '" + folder + "' is damaged; an older one is used.");
        }
        return Optional.empty();
    }

    private Manifest manifest(String folder) {
        try {
            return JSON.readValue(files.read(folder + "/" + MANIFEST), Manifest.class);
        } catch (IOException e) {
            return null;
        }
    }

    private List<Integer> steps() {
        return files.list(FOLDER).stream()
                .filter(name -> name.matches(PREFIX + "\\d{1,9}"))
                .map(name -> Integer.valueOf(name.substring(PREFIX.length())))
                .sorted()
                .toList();
    }

    private static String folder(int step) {
        return FOLDER + "/" + PREFIX + step;
    }

    private static byte[] encode(Checkpoint checkpoint) {
        long floats = checkpoint.state().arrays().values().stream()
                .mapToLong(values -> values.length)
                .sum();
        long bytes = floats * Float.BYTES + (long) checkpoint.history().size() * NUMBERS_PER_STEP * Double.BYTES;
        ByteBuffer buffer = ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
        for (float[] values : checkpoint.state().arrays().values()) {
            buffer.asFloatBuffer().put(values);
            buffer.position(buffer.position() + values.length * Float.BYTES);
        }
        for (RoundingTrainer.StepResult result : checkpoint.history()) {
            buffer.putDouble(result.loss()).putDouble(result.distillationLoss()).putDouble(result.regularization());
        }
        return buffer.array();
    }

    private static Checkpoint decode(Manifest manifest, byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        Map<String, float[]> arrays = new LinkedHashMap<>();
        manifest.arrays().forEach((name, length) -> {
            float[] values = new float[length];
            buffer.asFloatBuffer().get(values);
            buffer.position(buffer.position() + length * Float.BYTES);
            arrays.put(name, values);
        });
        List<RoundingTrainer.StepResult> history = new ArrayList<>();
        for (int step = 0; step < manifest.history(); step++) {
            history.add(
                    new RoundingTrainer.StepResult(step, buffer.getDouble(), buffer.getDouble(), buffer.getDouble()));
        }
        return new Checkpoint(new TrainerState(manifest.step(), arrays), history);
    }
}
