package dev.gptq.spark.train;

import dev.gptq.GptqException;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.TrainerState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class CheckpointStoreTest {
    @TempDir
    private Path folder;

    private final List<String> warnings = new ArrayList<>();
    private CheckpointStore store;

    @BeforeEach
    void open() {
        store = store(Map.of("configuration", "c0ffee", "model", "00000001"));
    }

    private CheckpointStore store(Map<String, String> inputs) {
        return new CheckpointStore(RunFiles.of(folder.toString(), new Configuration()), 2, inputs);
    }

    @Test
    void whatWasWrittenComesBackBitByBit() {
        store.write(checkpoint(3));

        Checkpoint read = store.newest(warnings::add).orElseThrow();

        assertThat(read.history()).isEqualTo(checkpoint(3).history());
        assertThat(read.state().step()).isEqualTo(3);
        assertThat(read.state().arrays().keySet()).containsExactly("alpha", "bias", "alpha.moment1");
        checkpoint(3).state().arrays().forEach((name, values) -> assertThat(
                        read.state().arrays().get(name))
                .isEqualTo(values));
        assertThat(warnings).isEmpty();
    }

    @Test
    void onlyTheNewestAreKept() {
        for (int step : new int[] {5, 10, 20, 100}) {
            store.write(checkpoint(step));
        }

        assertThat(folder.resolve("checkpoints").toFile().list()).containsExactlyInAnyOrder("step-20", "step-100");
    }

    @Test
    void trainingThatWentOnFromAnEarlierCheckpointReplacesTheLaterOnes() {
        for (int step : new int[] {5, 10, 20, 15}) {
            store.write(checkpoint(step));
        }

        assertThat(folder.resolve("checkpoints").toFile().list()).containsExactlyInAnyOrder("step-10", "step-15");
    }

    @Test
    void aCheckpointOfAnotherTrainingIsRefusedWithWhatDiffers() {
        store.write(checkpoint(5));

        assertThatThrownBy(() -> store(Map.of("configuration", "c0ffee", "model", "00000002", "plan", "1"))
                        .newest(warnings::add))
                .isInstanceOf(GptqException.class)
                .hasMessageContainingAll("step-5", "other inputs (model, plan)", "Delete '", "/checkpoints'");
        assertThat(warnings).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"'\"step\" : 10', '\"step\" : 11'", "alpha, alphb", "00000001, 00000002", "'{', '{}'", "'}', ''"})
    void aChangedManifestGivesWayToTheCheckpointBefore(String text, String changed) throws IOException {
        store.write(checkpoint(5));
        store.write(checkpoint(10));
        Path manifest = folder.resolve("checkpoints/step-10/MANIFEST.json");
        String content = Files.readString(manifest);
        assertThat(content).contains(text);
        Files.writeString(manifest, content.replace(text, changed));

        assertThat(store.newest(warnings::add).orElseThrow().state().step()).isEqualTo(5);
        assertThat(warnings).singleElement().asString().contains("step-10", "damaged");
    }

    @Test
    void aDamagedCheckpointGivesWayToTheOneBefore() throws IOException {
        store.write(checkpoint(5));
        store.write(checkpoint(10));
        Path arrays = folder.resolve("checkpoints/step-10/arrays.bin");
        byte[] bytes = Files.readAllBytes(arrays);
        bytes[2] ^= 1;
        Files.write(arrays, bytes);

        assertThat(store.newest(warnings::add).orElseThrow().state().step()).isEqualTo(5);
        assertThat(warnings).singleElement().asString().contains("step-10");
    }

    @Test
    void aCheckpointWithoutManifestDoesNotCount() throws IOException {
        store.write(checkpoint(5));
        store.write(checkpoint(10));
        Files.delete(folder.resolve("checkpoints/step-10/MANIFEST.json"));

        assertThat(store.newest(warnings::add).orElseThrow().state().step()).isEqualTo(5);
    }

    @Test
    void thereIsNoneInAnEmptyDirectory() {
        assertThat(store.newest(warnings::add)).isEmpty();
    }

    private static Checkpoint checkpoint(int step) {
        Map<String, float[]> arrays = new LinkedHashMap<>();
        arrays.put("alpha", new float[] {0.1f, -0.0f, Float.MIN_VALUE});
        arrays.put("bias", new float[0]);
        arrays.put("alpha.moment1", new float[] {1e30f * step});
        List<StepResult> history = new ArrayList<>();
        for (int done = 0; done < step; done++) {
            history.add(new StepResult(done, 1.0 / (done + 3), Math.nextUp(0.1), 1e-300));
        }
        return new Checkpoint(new TrainerState(step, arrays), history);
    }
}
