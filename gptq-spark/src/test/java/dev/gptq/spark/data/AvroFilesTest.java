package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Files that Avro's own library wrote, as other programs leave them. */
class AvroFilesTest {
    private static final int COUNT = 12;
    private static final Schema SCHEMA = new Schema.Parser()
            .parse(
                    """
                    {"type": "record", "name": "Sample", "namespace": "com.example", "fields": [
                      {"name": "id", "type": "long"},
                      {"name": "image", "type": ["null", "bytes"]},
                      {"name": "numbers", "type": {"type": "array", "items": {"type": "array", "items": "float"}}},
                      {"name": "label", "type": "int"}]}
                    """);

    @TempDir
    private Path folder;

    @Test
    void bytesGiveTheSamplesThatParquetGives() throws IOException {
        write("a.avro", -1);
        TestSamples.write(TestSamples.binaryRows(COUNT), TestSamples.BINARY, 2, path("table"));

        StoreIndex avro = prepare(TestSamples.dataset(path("a.avro"), TestSamples.uint8(), null));

        assertThat(avro.samples()).isEqualTo(COUNT);
        assertThat(avro.toJson())
                .isEqualTo(prepare(TestSamples.dataset(path("table"), TestSamples.uint8(), null))
                        .toJson());
    }

    @Test
    void nestedArraysAreSamples() throws IOException {
        write("a.avro", -1);
        DatasetConfig config = TestSamples.dataset(path("*.avro"), InputMapping.of("numbers"), 1L);
        var input = new dev.gptq.graph.ValueInfo("input", dev.gptq.graph.ElementType.FLOAT32, new long[] {-1, 2, 2});
        var model = new dev.gptq.graph.Graph("model", 13, List.of(input), List.of(), java.util.Map.of(), List.of());

        SamplePreparation.open(TestSpark.session(), config, model).write(path("store"), path("quarantine"), 3);

        float[] sample = SampleStore.open(path("store"), TestSpark.context().hadoopConfiguration())
                .read(0, 1)
                .inputs()
                .get("input")
                .floats();
        assertThat(sample).containsExactly(sample[0], 0.5f, -sample[0], 4);
    }

    @Test
    void aNullIsABadRowOfItsFile() throws IOException {
        write("a.avro", 7);

        refused("a.avro", "Cannot use row 7 of 'file:", "a.avro' (id 7): column 'image' is null");
    }

    @Test
    void aFileThatEndsEarlyOrIsNoneIsRefused() throws IOException {
        write("whole.avro", -1);
        byte[] bytes = Files.readAllBytes(folder.resolve("whole.avro"));
        Files.write(folder.resolve("part.avro"), Arrays.copyOf(bytes, bytes.length - 40));
        Files.writeString(folder.resolve("none.avro"), "this is not a table");

        refused("part.avro", "part.avro");
        refused("none.avro", "none.avro");
    }

    /** Rows as {@link TestSamples#binaryRows}; row {@code missing} has no image. */
    private void write(String name, int missing) throws IOException {
        try (var writer = new DataFileWriter<GenericRecord>(new GenericDatumWriter<>(SCHEMA))) {
            writer.setCodec(CodecFactory.deflateCodec(6));
            writer.create(SCHEMA, folder.resolve(name).toFile());
            for (int id = 0; id < COUNT; id++) {
                writer.append(new GenericRecordBuilder(SCHEMA)
                        .set("id", (long) id)
                        .set("image", id == missing ? null : ByteBuffer.wrap(TestSamples.pixels(id)))
                        .set("numbers", List.of(List.of((float) id, 0.5f), List.of((float) -id, 4f)))
                        .set("label", id % 10)
                        .build());
            }
        }
    }

    private void refused(String name, String... parts) {
        assertThatThrownBy(() -> prepare(TestSamples.dataset(path(name), TestSamples.uint8(), null)))
                .isInstanceOf(GptqException.class)
                .hasMessageContainingAll(parts)
                .satisfies(failure ->
                        assertThat(failure.getMessage()).startsWith("Cannot ").doesNotContain("\n"));
    }

    private StoreIndex prepare(DatasetConfig config) {
        return SamplePreparation.open(TestSpark.session(), config, TestSamples.model())
                .write(path("store"), path("quarantine"), 3);
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }
}
