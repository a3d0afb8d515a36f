package dev.gptq.spark.data;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class BadSamplesTest {
    @TempDir
    private Path folder;

    @Test
    void aMissingPathIsNamed() {
        refused(TestSamples.dataset(path("nowhere"), TestSamples.uint8(), null), "nowhere", "no such file");
    }

    /** Hadoop knows abfs by name only, and the other one not at all. */
    @ParameterizedTest
    @ValueSource(strings = {"abfs", "unheard-of"})
    void aSchemeWithoutFileSystemIsNamedWithARemedy(String scheme) {
        refused(
                TestSamples.dataset(scheme + "://a@b/data", TestSamples.uint8(), null),
                "no file system of scheme '" + scheme + "'",
                "--packages org.apache.hadoop:hadoop-aws:3.");
    }

    @Test
    void aFileThatIsNoParquetIsNamed() throws IOException {
        Files.writeString(folder.resolve("text.parquet"), "this is not a table, it is a sentence");

        refused(TestSamples.dataset(path("text.parquet"), TestSamples.uint8(), null), "text.parquet");
    }

    @Test
    void aMissingColumnIsNamedWithTheColumnsThereAre() {
        TestSamples.write(TestSamples.binaryRows(3), TestSamples.BINARY, 1, path("data"));
        InputMapping mapping = new InputMapping("picture", "uint8", null, 1, null, null);

        refused(TestSamples.dataset(path("data"), mapping, null), "'picture'", "id, image, label");
    }

    @Test
    void aBinaryColumnNeedsAnElementType() {
        TestSamples.write(TestSamples.binaryRows(3), TestSamples.BINARY, 1, path("data"));

        refused(TestSamples.dataset(path("data"), InputMapping.of("image"), null), "'image'", "'type'");
    }

    @Test
    void aRowOfTheWrongSizeIsNamedByItsId() {
        List<Row> rows = new ArrayList<>(TestSamples.binaryRows(3));
        rows.add(RowFactory.create(77L, new byte[] {1, 2, 3}, 0));
        TestSamples.write(rows, TestSamples.BINARY, 2, path("data"));

        refused(
                TestSamples.dataset(path("data"), TestSamples.uint8(), null),
                "id 77",
                "3 bytes instead of 4",
                ".parquet");
    }

    @Test
    void aNullIsNamedByColumnAndId() {
        TestSamples.write(List.of(RowFactory.create(5L, null, 0)), TestSamples.BINARY, 1, path("data"));

        refused(TestSamples.dataset(path("data"), TestSamples.uint8(), null), "id 5", "'image' is null");
    }

    @Test
    void aMissingLabelIsNamedByColumnAndId() {
        Row row = RowFactory.create(6L, new byte[4], null);
        TestSamples.write(List.of(row), TestSamples.BINARY, 1, path("data"));

        refused(TestSamples.dataset(path("data"), TestSamples.uint8(), null), "id 6", "'label' is null");
    }

    @Test
    void aNanIsNamedByColumnPositionAndRow() {
        List<Row> rows = new ArrayList<>();
        for (long id = 0; id < 20; id++) {
            rows.add(RowFactory.create(id, new double[] {0, id == 9 ? Double.NaN : 1, 2, 3}, 0));
        }
        TestSamples.write(rows, TestSamples.ARRAY, 3, path("data"));

        refused(
                TestSamples.dataset(path("data"), InputMapping.of("image"), null),
                "id 9",
                "NaN at position 1 of 'image'");
    }

    @Test
    void aValueThatOverflowsFloat32IsRefused() {
        Row row = RowFactory.create(1L, new double[] {0, 0, 1e39, 0}, 0);
        TestSamples.write(List.of(row), TestSamples.ARRAY, 1, path("data"));

        refused(TestSamples.dataset(path("data"), InputMapping.of("image"), null), "not finite after normalisation");
    }

    @Test
    void anArrayOfTheWrongLengthIsRefused() {
        TestSamples.write(
                List.of(RowFactory.create(1L, new double[] {0, 1, 2, 3, 4}, 0)), TestSamples.ARRAY, 1, path("data"));

        refused(TestSamples.dataset(path("data"), InputMapping.of("image"), null), "4 values of shape [1, 2, 2]");
    }

    @Test
    void anEmptyDatasetIsRefused() {
        TestSamples.write(List.of(), TestSamples.BINARY, 1, path("data"));

        refused(TestSamples.dataset(path("data"), TestSamples.uint8(), null), "it is empty");
    }

    @Test
    void anUnknownModelInputIsNamedWithTheOnesThereAre() {
        TestSamples.write(TestSamples.binaryRows(3), TestSamples.BINARY, 1, path("data"));
        DatasetConfig config =
                DatasetConfig.of(path("data"), Map.of("input", TestSamples.uint8(), "inptu", TestSamples.uint8()));

        refused(config, "'inptu'", "Use input.");
    }

    @Test
    void aModelInputWithoutColumnIsNamed() {
        TestSamples.write(TestSamples.binaryRows(3), TestSamples.BINARY, 1, path("data"));

        refused(DatasetConfig.of(path("data"), Map.of("x", TestSamples.uint8())), "model input 'input'");
    }

    @Test
    void meansMustMatchTheChannels() {
        TestSamples.write(TestSamples.binaryRows(3), TestSamples.BINARY, 1, path("data"));
        InputMapping mapping = new InputMapping("image", "uint8", null, 1, new double[] {1, 2}, null);

        refused(TestSamples.dataset(path("data"), mapping, null), "2 values of mean or std for 1 channels");
    }

    @Test
    void anElementTypeThatIsNotSupportedIsRefusedBeforeAnyNativeCode() throws IOException {
        refusedArray(NumpyFiles.array("<c8", false, "1, 1, 2, 2", new byte[32]), "element type <c8");
    }

    @Test
    void fortranOrderIsRefused() throws IOException {
        refusedArray(NumpyFiles.array("<f4", true, "1, 1, 2, 2", new byte[16]), "Fortran order");
    }

    @Test
    void anArrayOfAnotherShapeIsRefused() throws IOException {
        refusedArray(NumpyFiles.array("<f4", false, "1, 2, 2, 1", new byte[16]), "[2, 2, 1]", "[1, 2, 2]");
    }

    @Test
    void anArrayThatEndsEarlyIsRefused() throws IOException {
        refusedArray(NumpyFiles.array("<f4", false, "3, 1, 2, 2", new byte[40]), "ends after 2 of 3 rows");
    }

    @Test
    void aFileThatIsNoArrayIsRefused() throws IOException {
        refusedArray("some text that is long enough".getBytes(java.nio.charset.StandardCharsets.UTF_8), "no npy array");
    }

    @Test
    void aMissingArrayIsNamedWithTheOnesThereAre() throws IOException {
        NumpyFiles.archive(
                folder.resolve("a.npz"), true, Map.of("x", NumpyFiles.array("|u1", false, "1, 1, 2, 2", new byte[4])));

        refused(DatasetConfig.of(path("a.npz"), Map.of("input", InputMapping.of("y"))), "array 'y'", "arrays are x");
    }

    @Test
    void aBrokenArchiveIsRefused() throws IOException {
        Files.write(folder.resolve("a.npz"), new byte[100]);

        refused(DatasetConfig.of(path("a.npz"), Map.of("input", InputMapping.of("x"))), "no npz archive");
    }

    @Test
    void oneArrayAmongManyThatDoesNotFitIsNamed() throws IOException {
        byte[] good = NumpyFiles.array("<f4", false, "1, 1, 2, 2", new byte[16]);
        for (int i = 0; i < 40; i++) {
            Files.write(folder.resolve("part" + i + ".npy"), good);
        }
        DatasetConfig config = DatasetConfig.of(path("*.npy"), Map.of("input", InputMapping.of("x")));
        assertThat(SamplePreparation.open(TestSpark.session(), config, TestSamples.model())
                        .write(path("good"), path("quarantine"), 0)
                        .samples())
                .isEqualTo(40);
        Files.write(folder.resolve("part33.npy"), NumpyFiles.array("<f4", false, "1, 1, 2, 3", new byte[24]));

        refused(config, "part33.npy", "[1, 2, 3]", "[1, 2, 2]");
    }

    private void refusedArray(byte[] content, String... parts) throws IOException {
        Files.write(folder.resolve("array.npy"), content);
        refused(DatasetConfig.of(path("array.npy"), Map.of("input", InputMapping.of("x"))), parts);
    }

    private void refused(DatasetConfig config, String... parts) {
        GptqException failure = catchThrowableOfType(
                GptqException.class, () -> SamplePreparation.open(TestSpark.session(), config, TestSamples.model())
                        .write(path("store"), path("quarantine"), 0));

        assertThat(failure.code()).isEqualTo(ErrorCode.BAD_INPUT);
        assertThat(failure.getMessage())
                .startsWith("Cannot ")
                .doesNotContain("\n")
                .contains(Arrays.asList(parts));
        assertThat(folder.resolve("store").resolve(StoreIndex.FILE_NAME)).doesNotExist();
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }
}
