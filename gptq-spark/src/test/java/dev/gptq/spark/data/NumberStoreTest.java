package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.spark.PreparedSamples;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import dev.gptq.spark.task.NumberJob;
import dev.gptq.spark.task.NumberTask;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class NumberStoreTest {
    /** 72 samples 40 times over: more rows than a page has. */
    private static final int ROWS_PER_SAMPLE = 40;

    private static final NumberTask NUMBERS = (models, block) -> {
        double[][] rows = new double[block.size() * ROWS_PER_SAMPLE][];
        for (int row = 0; row < rows.length; row++) {
            rows[row] = new double[] {block.firstIndex() * ROWS_PER_SAMPLE + row, 1.0 / (row + 1)};
        }
        return rows;
    };
    private static final NumberTask BROKEN = (models, block) -> {
        if (block.firstIndex() > 30) {
            throw GptqException.badInput("Cannot go on: %s. Stop.", "a test");
        }
        return NUMBERS.map(models, block);
    };

    @TempDir
    private static Path folder;

    private static PreparedSamples samples;

    @BeforeAll
    static void prepare() {
        samples = PreparedSamples.in(folder);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void rowsComeBackInTheOrderOfSamplesHoweverManyTasksWroteThem(int tasks) {
        NumberJob job = new NumberJob(samples.job(8, tasks), path("rows-" + tasks), 2);
        assertThat(job.isDone()).isFalse();
        job.run(NUMBERS, "test", done -> {});
        assertThat(job.isDone()).isTrue();

        NumberStore store = NumberStore.open(job.folder(), hadoop());
        assertThat(store.rows()).isEqualTo(TestModel.SAMPLES * ROWS_PER_SAMPLE);
        for (int first : new int[] {0, 1000, 1020, 2870}) {
            double[][] rows = store.read(first, 10);
            for (int row = 0; row < 10; row++) {
                assertThat(rows[row]).containsExactly(first + row, 1.0 / ((first + row) % (8 * ROWS_PER_SAMPLE) + 1));
            }
        }
        assertThatThrownBy(() -> store.read(2871, 10)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void anUnfinishedTableDoesNotCountAndIsWrittenAnew() throws IOException {
        NumberJob job = new NumberJob(samples.job(8, 4), path("broken"), 2);
        assertThatThrownBy(() -> job.run(BROKEN, "test", done -> {}))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("a test");
        assertThat(job.isDone()).isFalse();
        assertThatThrownBy(() -> NumberStore.open(job.folder(), hadoop()))
                .isInstanceOf(GptqException.class)
                .hasMessageStartingWith("Cannot read numbers per sample");

        NumberJob again = new NumberJob(samples.job(8, 2), job.folder(), 2);
        again.run(NUMBERS, "test", done -> {});

        assertThat(again.isDone()).isTrue();
        try (Stream<Path> files = Files.list(Path.of(job.folder()))) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .as("nine blocks in two files; a task of the first attempt may have ended late and left its own")
                    .contains("index.json", "blocks-000000000000-8.bin", "blocks-000000000008-1.bin");
        }
        assertThat(NumberStore.open(job.folder(), hadoop()).rows()).isEqualTo(TestModel.SAMPLES * ROWS_PER_SAMPLE);
    }

    @Test
    void aTableWithAShortFileIsNotComplete() throws IOException {
        NumberJob job = new NumberJob(samples.job(8, 1), path("short"), 2);
        job.run(NUMBERS, "test", done -> {});
        Path file = Path.of(job.folder(), "blocks-000000000000-9.bin");
        byte[] content = Files.readAllBytes(file);
        Files.write(file, java.util.Arrays.copyOf(content, content.length - 1));
        assertThat(job.isDone()).isFalse();
    }

    private static String path(String name) {
        return folder.resolve(name).toString();
    }

    private static Configuration hadoop() {
        return TestSpark.context().hadoopConfiguration();
    }
}
