package dev.gptq.spark.train;

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

import static org.assertj.core.api.Assertions.assertThat;

class CheckpointStoreTest {
    @TempDir
    private Path folder;

    private final List<String> warnings = new ArrayList<>();
    private CheckpointStore store;

    @BeforeEach
    void open() {
        store = new CheckpointStore(RunFiles.of(folder.toString(), new Configuration()), 2);
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
        for (int step : new int[] {5, 10, 100, 20}) {
            store.write(checkpoint(step));
        }

        assertThat(folder.resolve("checkpoints").toFile().list()).containsExactlyInAnyOrder("step-20", "step-100");
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
