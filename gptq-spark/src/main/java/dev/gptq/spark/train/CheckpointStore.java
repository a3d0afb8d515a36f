package dev.gptq.spark.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.gptq.GptqException;
import dev.gptq.spark.data.Crc32cCounter;
import dev.gptq.spark.data.RunFiles;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Checkpoints of a run directory: {@code checkpoints/step-N/arrays.bin} (little-endian float32 arrays one after the other,
 * then three float64 numbers per step: loss, distillation loss, regularization) and {@code MANIFEST.json}, which is written
 * last and holds names, lengths, the CRC32C of arrays.bin and what the training was given (hashes of configuration, model,
 * samples, plan and loss weights). A checkpoint without a valid manifest does not count; one of another training is refused.
 */
final class CheckpointStore {
    private static final String FOLDER = "checkpoints";
    private static final String PREFIX = "step-";
    private static final String ARRAYS = "arrays.bin";
    private static final String MANIFEST = "MANIFEST.json";
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final RunFiles files;
    private final int kept;
    private final Map<String, String> inputs;

    /**
     * Keeps the {@code kept} newest checkpoints.
     *
     * @param inputs what identifies the training: name of an input, as messages call it, and a hash or number of it
     */
    CheckpointStore(RunFiles files, int kept, Map<String, String> inputs) {
        this.files = files;
        this.kept = kept;
        this.inputs = Map.copyOf(inputs);
    }

    /**
     * Content of a checkpoint's MANIFEST.json.
     *
     * @param step steps done, which is the position in every schedule
     * @param arrays lengths by name, in the order of arrays.bin
     * @param history steps whose numbers follow the arrays
     * @param crc32c of arrays.bin
     * @param manifestCrc32c of this manifest with null in this place
     */
    record Manifest(
            int step,
            Map<String, Integer> arrays,
            int history,
            Map<String, String> inputs,
            String crc32c,
            String manifestCrc32c) {
        Manifest {
            arrays = arrays == null ? Map.of() : new LinkedHashMap<>(arrays);
            inputs = inputs == null ? Map.of() : new TreeMap<>(inputs);
        }

        Manifest sealed() {
            return withSeal(Crc32cCounter.of(withSeal(null).toJson()));
        }

        private Manifest withSeal(String seal) {
            return new Manifest(step, arrays, history, inputs, crc32c, seal);
        }

        boolean isWhole() {
            return equals(sealed());
        }

        byte[] toJson() {
            try {
                return JSON.writeValueAsBytes(this);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /**
     * Writes a checkpoint, and then deletes those that are too old and those of later steps, which are damaged: training
     * went on from an earlier one.
     */
    void write(Checkpoint checkpoint) {
        Map<String, Integer> lengths = new LinkedHashMap<>();
        checkpoint.state().arrays().forEach((name, values) -> lengths.put(name, values.length));
        int written = checkpoint.state().step();
        String folder = folder(written);
        files.delete(folder);
        Crc32cCounter crc = new Crc32cCounter();
        files.write(folder + "/" + ARRAYS, out -> CheckpointArrays.write(checkpoint, crc.counting(out)));
        Manifest manifest =
                new Manifest(written, lengths, checkpoint.history().size(), inputs, crc.value(), null).sealed();
        files.write(folder + "/" + MANIFEST, manifest.toJson());
        List<Integer> steps = steps();
        int end = steps.indexOf(written) + 1;
        for (int i = 0; i < steps.size(); i++) {
            if (i < end - kept || i >= end) {
                files.delete(folder(steps.get(i)));
            }
        }
    }

    /** Deletes checkpoints of {@code first} and later steps. */
    void deleteFrom(int first) {
        steps().stream()
                .filter(step -> step >= first)
                .map(CheckpointStore::folder)
                .forEach(files::delete);
    }

    /**
     * The newest checkpoint that is complete and unchanged; {@code warnings} hears of those that are not.
     *
     * @throws GptqException BAD_INPUT with what differs when that checkpoint is of another training
     */
    Optional<Checkpoint> newest(Consumer<String> warnings) {
        List<Integer> steps = steps();
        for (int i = steps.size() - 1; i >= 0; i--) {
            String folder = folder(steps.get(i));
            if (!files.exists(folder + "/" + MANIFEST) || !files.exists(folder + "/" + ARRAYS)) {
                warnings.accept("Checkpoint '" + folder + "' is incomplete; an older one is used.");
                continue;
            }
            Manifest manifest = manifest(folder);
            Checkpoint checkpoint = manifest != null && manifest.isWhole() ? read(folder, manifest) : null;
            if (checkpoint != null) {
                requireSameInputs(manifest, folder);
                return Optional.of(checkpoint);
            }
            warnings.accept("Checkpoint '" + folder + "' is damaged; an older one is used.");
        }
        return Optional.empty();
    }

    /** Null when the arrays are not what was written. */
    private Checkpoint read(String folder, Manifest manifest) {
        Crc32cCounter crc = new Crc32cCounter();
        Checkpoint checkpoint = files.read(
                folder + "/" + ARRAYS,
                in -> CheckpointArrays.read(manifest.step(), manifest.arrays(), manifest.history(), crc.counting(in)));
        return crc.value().equals(manifest.crc32c()) ? checkpoint : null;
    }

    private void requireSameInputs(Manifest manifest, String folder) {
        List<String> differing = Stream.concat(inputs.keySet().stream(), manifest.inputs().keySet().stream())
                .distinct()
                .filter(name ->
                        !Objects.equals(inputs.get(name), manifest.inputs().get(name)))
                .sorted()
                .toList();
        if (!differing.isEmpty()) {
            throw GptqException.badInput(
                    "Cannot resume training from checkpoint '%s': it was written with other inputs (%s). Delete '%s' to train"
                            + " from the start.",
                    files.path(folder), String.join(", ", differing), files.path(FOLDER));
        }
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
}
