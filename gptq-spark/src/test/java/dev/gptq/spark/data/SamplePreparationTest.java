package dev.gptq.spark.data;

import dev.gptq.config.DatasetConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.graph.SampleBatch;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class SamplePreparationTest {
    private static final int COUNT = 100;

    @TempDir
    private Path folder;

    @Test
    void orderAndContentDoNotDependOnFilesOrPartitions() {
        List<Row> rows = TestSamples.binaryRows(COUNT);
        TestSamples.write(rows, TestSamples.BINARY, 1, path("one"));
        List<Row> reversed = new ArrayList<>(rows);
        Collections.reverse(reversed);
        TestSamples.write(reversed, TestSamples.BINARY, 7, path("seven"));

        StoreIndex one = prepare(TestSamples.dataset(path("one"), TestSamples.uint8(), null), "a");
        StoreIndex seven = prepare(TestSamples.dataset(path("seven"), TestSamples.uint8(), null), "b");

        assertThat(seven.toJson()).isEqualTo(one.toJson());
        assertThat(one.samples()).isEqualTo(COUNT);
        assertThat(labels(store("a")))
                .isNotEqualTo(LongStream.range(0, COUNT).map(id -> id % 10).toArray());
    }

    @Test
    void samplesWithoutIdAreOrderedByContent() {
        List<Row> rows = TestSamples.binaryRows(COUNT);
        TestSamples.write(rows, TestSamples.BINARY, 1, path("one"));
        TestSamples.write(rows, TestSamples.BINARY, 5, path("five"));

        StoreIndex one = prepare(withoutId(path("one")), "a");

        assertThat(prepare(withoutId(path("five")), "b").toJson()).isEqualTo(one.toJson());
    }

    private static DatasetConfig withoutId(String path) {
        return new DatasetConfig(path, null, Map.of("input", TestSamples.uint8()), "label", null, null);
    }

    @Test
    void aLimitTakesTheBeginningOfTheWholeOrder() {
        TestSamples.write(TestSamples.binaryRows(COUNT), TestSamples.BINARY, 3, path("data"));
        prepare(TestSamples.dataset(path("data"), TestSamples.uint8(), null), "all");

        StoreIndex limited = prepare(TestSamples.dataset(path("data"), TestSamples.uint8(), 13L), "limited");

        assertThat(limited.samples()).isEqualTo(13);
        assertThat(store("limited").read(0, 13).inputs().get("input").floats())
                .isEqualTo(store("all").read(0, 13).inputs().get("input").floats());
    }

    @Test
    void aSmallLimitOfManySamplesStillTakesTheBeginning() {
        TestSamples.write(TestSamples.binaryRows(2000), TestSamples.BINARY, 3, path("data"));
        prepare(TestSamples.dataset(path("data"), TestSamples.uint8(), null), "all");

        prepare(TestSamples.dataset(path("data"), TestSamples.uint8(), 100L), "limited");

        assertThat(labels(store("limited"))).isEqualTo(store("all").read(0, 100).labels());
    }

    @Test
    void valuesAreNormalisedInFloat64AndRoundedOnce() {
        TestSamples.write(TestSamples.binaryRows(COUNT), TestSamples.BINARY, 2, path("data"));
        prepare(TestSamples.dataset(path("data"), TestSamples.uint8(), null), "store");

        SampleBatch batch = store("store").read(0, COUNT);
        float[] values = batch.inputs().get("input").floats();

        assertThat(batch.inputs().get("input").shape()).containsExactly(COUNT, 1, 2, 2);
        for (int sample = 0; sample < COUNT; sample++) {
            // The last pixel of every sample is 200, the first is the sample's number.
            assertThat(values[4 * sample + 3]).isEqualTo((float) ((200 * (1.0 / 255) - 0.5) / 0.25));
            long number = Math.round((values[4 * sample] * 0.25 + 0.5) * 255);
            assertThat(batch.labels()[sample]).isEqualTo(number % 10);
        }
    }

    @Test
    void everyRangeReadsWhatTheWholeReads() {
        TestSamples.write(TestSamples.binaryRows(COUNT), TestSamples.BINARY, 2, path("data"));
        prepare(TestSamples.dataset(path("data"), TestSamples.uint8(), null), "store");
        float[] whole = store("store").read(0, COUNT).inputs().get("input").floats();

        SampleBatch range = store("store").read(41, 7);

        assertThat(range.firstIndex()).isEqualTo(41);
        assertThat(range.inputs().get("input").floats()).isEqualTo(java.util.Arrays.copyOfRange(whole, 164, 192));
    }

    @Test
    void meanAndStdMayBeGivenPerChannel() {
        List<Row> rows = List.of(RowFactory.create(1L, new double[] {1, 2, 3, 4}, 0));
        TestSamples.write(rows, TestSamples.ARRAY, 1, path("data"));
        InputMapping mapping =
                new InputMapping("image", null, new long[] {2, 2}, 2, new double[] {1, 2}, new double[] {4, 8});
        var input = new dev.gptq.graph.ValueInfo("input", dev.gptq.graph.ElementType.FLOAT32, new long[] {-1, 2, 2});
        var model = new dev.gptq.graph.Graph("model", 13, List.of(input), List.of(), Map.of(), List.of());

        SamplePreparation.open(TestSpark.session(), TestSamples.dataset(path("data"), mapping, null), model)
                .write(path("store"), path("quarantine"), 0);

        assertThat(store("store").read(0, 1).inputs().get("input").floats())
                .containsExactly((2 - 1) / 4f, (4 - 1) / 4f, (6 - 2) / 8f, (8 - 2) / 8f);
    }

    @Test
    void storedAndDeflatedArchivesHoldTheSameSamplesAsParquet() throws IOException {
        byte[] images = new byte[4 * COUNT];
        long[] labels = new long[COUNT];
        long[] ids = new long[COUNT];
        for (int sample = 0; sample < COUNT; sample++) {
            System.arraycopy(TestSamples.pixels(sample), 0, images, 4 * sample, 4);
            labels[sample] = sample % 10;
            ids[sample] = sample;
        }
        Map<String, byte[]> arrays = new LinkedHashMap<>();
        arrays.put("id", NumpyFiles.array("<i8", false, COUNT + ",", NumpyFiles.longs(ids)));
        arrays.put("image", NumpyFiles.array("|u1", false, COUNT + ", 1, 2, 2", images));
        arrays.put("label", NumpyFiles.array("<i8", false, COUNT + ",", NumpyFiles.longs(labels)));
        NumpyFiles.archive(folder.resolve("stored.npz"), false, arrays);
        NumpyFiles.archive(folder.resolve("deflated.npz"), true, arrays);
        TestSamples.write(TestSamples.binaryRows(COUNT), TestSamples.BINARY, 2, path("table"));

        String expected = prepare(TestSamples.dataset(path("table"), TestSamples.uint8(), null), "a")
                .toJson();

        assertThat(prepare(TestSamples.dataset(path("stored.npz"), TestSamples.uint8(), null), "b")
                        .toJson())
                .isEqualTo(expected);
        assertThat(prepare(TestSamples.dataset(path("deflated.npz"), TestSamples.uint8(), null), "c")
                        .toJson())
                .isEqualTo(expected);
    }

    @Test
    void aSingleArrayFileIsADataset() throws IOException {
        byte[] array = NumpyFiles.array("<f4", false, "2, 1, 2, 2", NumpyFiles.floats(1, 2, 3, 4, 5, 6, 7, 8));
        java.nio.file.Files.write(folder.resolve("images.npy"), array);
        DatasetConfig config = DatasetConfig.of(path("images.npy"), Map.of("input", InputMapping.of("image")));

        StoreIndex index = prepare(config, "store");

        assertThat(index.samples()).isEqualTo(2);
        assertThat(store("store").read(0, 2).inputs().get("input").floats())
                .containsExactlyInAnyOrder(1, 2, 3, 4, 5, 6, 7, 8);
    }

    private StoreIndex prepare(DatasetConfig config, String store) {
        return SamplePreparation.open(TestSpark.session(), config, TestSamples.model())
                .write(path(store), path("quarantine"), 3);
    }

    private SampleStore store(String name) {
        return SampleStore.open(path(name), TestSpark.context().hadoopConfiguration());
    }

    private static long[] labels(SampleStore store) {
        return store.read(0, (int) store.size()).labels();
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }
}
