package dev.gptq.spark.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gptq.config.BadRowsConfig;
import dev.gptq.config.BadRowsConfig.Policy;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.DatasetConfigBuilder;
import dev.gptq.config.InputMapping;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class BadRowsTest {
    private static final int COUNT = 60;

    @TempDir
    private Path folder;

    /** Rows whose id ends in 7 have a NaN, one has no image. */
    private void write(String name, int files) {
        List<Row> rows = new ArrayList<>();
        for (long id = 0; id < COUNT; id++) {
            double[] image = {id, 1, id % 10 == 7 ? Double.NaN : 2, 3};
            rows.add(RowFactory.create(id, id == 11 ? null : image, (int) id % 10));
        }
        TestSamples.write(rows, TestSamples.ARRAY, files, path(name));
    }

    @Test
    void skippedRowsAreCountedAndTheOthersStayWhatTheyAre() {
        write("bad", 3);
        List<Row> good = TestSpark.session()
                .read()
                .parquet(path("bad"))
                .where("image is not null and id % 10 != 7")
                .collectAsList();
        TestSamples.write(good, TestSamples.ARRAY, 2, path("good"));

        StoreIndex skipped = prepare(dataset("bad", Policy.SKIP, 7).build());

        StoreIndex clean = prepare(dataset("good", Policy.FAIL, 0).build());
        assertThat(skipped.badRows()).isEqualTo(7);
        assertThat(skipped.samples()).isEqualTo(COUNT - 7);
        assertThat(skipped.files()).isEqualTo(clean.files());
        assertThat(clean.badRows()).isZero();
        assertThat(folder.resolve("quarantine")).doesNotExist();
    }

    @Test
    void aLimitIsFilledWithGoodRows() {
        write("bad", 3);

        StoreIndex index =
                prepare(dataset("bad", Policy.SKIP, 0.5).optLimit(52L).build());

        assertThat(index.samples()).isEqualTo(52);
    }

    @Test
    void theBudgetBoundsWhatIsLeftOut() {
        write("bad", 2);

        assertThatThrownBy(() -> prepare(dataset("bad", Policy.SKIP, 6).build()))
                .hasMessageContainingAll(
                        "Cannot use the dataset: more than 6 rows are bad", "raise bad_rows_budget (6.0)");
        assertThatThrownBy(() -> prepare(dataset("bad", Policy.SKIP, 0.1).build()))
                .hasMessageContaining("more than 6 rows are bad");
        assertThat(prepare(dataset("bad", Policy.SKIP, 0.12).build()).badRows()).isEqualTo(7);
    }

    @Test
    void quarantinedRowsAreListedWithFileRowAndReason() throws IOException {
        write("bad", 1);

        StoreIndex index = prepare(dataset("bad", Policy.QUARANTINE, 10).build());

        assertThat(index.badRows()).isEqualTo(7);
        List<JsonNode> listed = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve("quarantine/store.jsonl"))) {
            listed.add(new ObjectMapper().readTree(line));
        }
        assertThat(listed).hasSize(7);
        assertThat(listed).extracting(row -> row.get("row").asLong()).isSorted();
        assertThat(listed)
                .anySatisfy(row -> {
                    assertThat(row.get("id").asText()).isEqualTo("11");
                    assertThat(row.get("reason").asText()).isEqualTo("column 'image' is null");
                    assertThat(row.get("file").asText()).endsWith(".parquet");
                })
                .anySatisfy(row -> {
                    assertThat(row.get("id").asText()).isEqualTo("37");
                    assertThat(row.get("reason").asText()).contains("NaN at position 2");
                });
    }

    @Test
    void malformedLinesAreNamedByFileAndRow() throws IOException {
        Files.writeString(
                folder.resolve("lines.json"),
                """
                {"id": 1, "image": [1, 2, 3, 4], "label": 0}
                {"id": 2, "image": [1, 2, 3, 4], "label": 1}
                {"id": 3, "image": [1, 2,
                """);
        Files.writeString(folder.resolve("lines.csv"), "id,a,label\n1,5,0\n2,6,1\n3,x,0\n");
        DatasetConfig csv = DatasetConfig.builder(path("lines.csv"))
                .setInputs(Map.of("input", InputMapping.of("image")))
                .optLabel("label")
                .optTable(new dev.gptq.config.TableConfig(
                        "id int, a int, label int", Map.of(), Map.of("image", "array(a, a, a, a)"), null))
                .optBadRows(new BadRowsConfig(Policy.QUARANTINE, 2))
                .build();

        assertThatThrownBy(() -> prepare(dataset("lines.json", Policy.FAIL, 0).build()))
                .hasMessageContainingAll("Cannot use row 2 of 'file:", "lines.json'");
        assertThat(prepare(csv).badRows()).isEqualTo(1);
        assertThat(Files.readAllLines(folder.resolve("quarantine/store.jsonl")))
                .singleElement()
                .asString()
                .contains("lines.csv", "\"row\":2,");
    }

    @Test
    void rowsOfArraysInFilesAreSkippedToo() throws IOException {
        byte[] array = NumpyFiles.array(
                "<f4", false, "3, 1, 2, 2", NumpyFiles.floats(1, 2, 3, 4, 5, Float.NaN, 7, 8, 9, 10, 11, 12));
        Files.write(folder.resolve("images.npy"), array);
        DatasetConfig config = DatasetConfig.builder(path("images.npy"))
                .setInputs(Map.of("input", InputMapping.of("image")))
                .optBadRows(new BadRowsConfig(Policy.SKIP, 1))
                .build();

        StoreIndex index = prepare(config);

        assertThat(index.badRows()).isEqualTo(1);
        assertThat(SampleStore.open(path("store"), TestSpark.context().hadoopConfiguration())
                        .read(0, 2)
                        .inputs()
                        .get("input")
                        .floats())
                .containsExactlyInAnyOrder(1, 2, 3, 4, 9, 10, 11, 12);
    }

    @Test
    void aDatasetOfBadRowsOnlyIsRefused() {
        TestSamples.write(List.of(RowFactory.create(1L, null, 0)), TestSamples.ARRAY, 1, path("bad"));

        assertThatThrownBy(() -> prepare(dataset("bad", Policy.SKIP, 5).build()))
                .hasMessageContaining("all of its 1 rows are bad");
    }

    private DatasetConfigBuilder dataset(String name, Policy policy, double budget) {
        return DatasetConfig.builder(path(name))
                .setInputs(Map.of("input", InputMapping.of("image")))
                .optLabel("label")
                .optId("id")
                .optBadRows(new BadRowsConfig(policy, budget));
    }

    private StoreIndex prepare(DatasetConfig config) {
        return SamplePreparation.open(TestSpark.session(), config, TestSamples.model())
                .write(path("store"), path("quarantine"), 3);
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }
}
