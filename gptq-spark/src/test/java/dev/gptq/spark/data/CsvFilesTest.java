package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.config.BadRowsConfig;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.DatasetConfigBuilder;
import dev.gptq.config.InputMapping;
import dev.gptq.config.TableConfig;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What Spark's CSV reader lets pass and calibration data must not. */
class CsvFilesTest {
    private static final String SCHEMA = "a float, b float, note int";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"7,8", "7", "7,8,9,10", "7,x,9"})
    void rowsOfAnotherFormAreBadRows(String row) throws IOException {
        Files.writeString(folder.resolve("a.csv"), "a,b,note\n1,2,0\n" + row + "\n5,6,1\n");

        assertThatThrownBy(() -> prepare(csv("a.csv", SCHEMA, Map.of()).build()))
                .isInstanceOf(GptqException.class)
                .hasMessageContainingAll(
                        "Cannot use row 1 of 'file:", "a.csv': it does not have the form of the others: " + row);
        StoreIndex index = prepare(csv("a.csv", SCHEMA, Map.of())
                .optBadRows(new BadRowsConfig(BadRowsConfig.Policy.SKIP, 1))
                .build());
        assertThat(index.samples()).isEqualTo(2);
        assertThat(index.badRows()).isEqualTo(1);
    }

    @Test
    void surplusAndMissingValuesAreBadRowsWhereTypesAreInferredToo() throws IOException {
        Files.writeString(folder.resolve("a.csv"), "a,b,note\n1,2,0\n3,4\n5,6,1,9\n");

        StoreIndex index = prepare(csv("a.csv", null, Map.of())
                .optBadRows(new BadRowsConfig(BadRowsConfig.Policy.SKIP, 2))
                .build());

        assertThat(index.samples()).isEqualTo(1);
        assertThat(index.badRows()).isEqualTo(2);
    }

    /** Else their values would silently stand for other columns. */
    @Test
    void filesWhoseColumnsHaveAnotherOrderAreRefused() throws IOException {
        Files.writeString(folder.resolve("a.csv"), "a,b,note\n1,2,0\n");
        Files.writeString(folder.resolve("b.csv"), "b,a,note\n4,3,0\n");

        assertThatThrownBy(() -> prepare(csv("*.csv", SCHEMA, Map.of()).build()))
                .isInstanceOf(GptqException.class)
                .hasMessageContainingAll("Cannot read dataset", "b.csv", "Header: b, a, note Schema: a, b, note");
        assertThat(prepare(csv("*.csv", SCHEMA, Map.of("enforceSchema", "true")).build())
                        .samples())
                .isEqualTo(2);
    }

    @Test
    void aColumnWithoutNameDoesNotMatter() throws IOException {
        Files.writeString(folder.resolve("a.csv"), ",a,b\n0,1,2\n1,3,4\n");

        assertThat(prepare(csv("a.csv", null, Map.of()).build()).samples()).isEqualTo(2);
    }

    @Test
    void aColumnThatAnExpressionLacksIsNamedWithTheColumnsThereAre() throws IOException {
        Files.writeString(folder.resolve("a.csv"), "a,c\n1,2\n");

        assertThatThrownBy(() -> prepare(csv("a.csv", null, Map.of()).build()))
                .hasMessage(
                        "Cannot use columns.x 'array(a, b)': there is no column `b`, the columns are a, c. Correct the"
                                + " Spark SQL expression of data.columns.x.");
    }

    private DatasetConfigBuilder csv(String name, String schema, Map<String, String> options) {
        return DatasetConfig.builder(folder.resolve(name).toString())
                .setInputs(Map.of("input", InputMapping.of("x")))
                .optTable(new TableConfig(schema, options, Map.of("x", "array(a, b)"), null));
    }

    private StoreIndex prepare(DatasetConfig config) {
        return SamplePreparation.open(TestSpark.session(), config, TestSamples.vector(2))
                .write(
                        folder.resolve("store").toString(),
                        folder.resolve("quarantine").toString(),
                        3);
    }
}
