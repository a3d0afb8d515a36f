package dev.gptq.spark.data;

import dev.gptq.config.BadRowsConfig;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.DatasetConfigBuilder;
import dev.gptq.config.ImageConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.config.TextConfig;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.ValueInfo;
import dev.gptq.spark.TestSpark;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Image files, columns of images, and text. */
class EncodedSamplesTest {
    private static final ValueInfo PICTURE = new ValueInfo("x", ElementType.FLOAT32, new long[] {-1, 3, -1, -1});

    @TempDir
    private Path folder;

    @Test
    void aFolderOfImagesHasItsFoldersAsClasses() throws IOException {
        writeImages();

        StoreIndex index = prepare(images().optLabel("folder").build(), PICTURE);

        assertThat(index.samples()).isEqualTo(4);
        SampleBatch batch = read(4);
        assertThat(batch.inputs().get("x").shape()).containsExactly(4, 3, 2, 2);
        for (int sample = 0; sample < 4; sample++) {
            float[] values = batch.inputs().get("x").floats();
            // Red over 2, less 1; green is the folder's number.
            assertThat(values[12 * sample + 4]).isEqualTo(batch.labels()[sample] / 2f - 1);
            assertThat(values[12 * sample]).isIn(10 / 2f - 1, 20 / 2f - 1);
        }
        assertThat(batch.labels()).containsExactlyInAnyOrder(0, 0, 1, 1);
    }

    private DatasetConfigBuilder images() {
        return DatasetConfig.builder(path("photos"))
                .setInputs(Map.of("x", new InputMapping("image", null, null, 0.5, new double[] {1, 1, 1}, null)))
                .optImage(image(ImageConfig.Layout.NCHW, "image"));
    }

    @Test
    void aColumnOfImagesGivesTheSameSamplesAsFilesInTheOtherLayoutToo() throws IOException {
        writeImages();
        List<Row> rows = new ArrayList<>();
        long id = 0;
        for (String name : List.of("birds/a.png", "birds/b.png", "cats/a.png", "cats/b.png")) {
            rows.add(RowFactory.create(
                    id++, Files.readAllBytes(folder.resolve("photos").resolve(name)), 0));
        }
        TestSamples.write(rows, TestSamples.BINARY, 2, path("table"));
        InputMapping mapping =
                new InputMapping("image", null, null, 1, new double[] {10, 0, 0}, new double[] {1, 1, 10});
        DatasetConfig config = DatasetConfig.builder(path("table"))
                .optFormat("parquet")
                .setInputs(Map.of("x", mapping))
                .optImage(image(ImageConfig.Layout.NHWC, "image"))
                .build();

        prepare(config, new ValueInfo("x", ElementType.FLOAT32, new long[] {-1, -1, -1, 3}));

        float[] values = read(4).inputs().get("x").floats();
        assertThat(read(4).inputs().get("x").shape()).containsExactly(4, 2, 2, 3);
        for (int i = 0; i < values.length; i += 3) {
            assertThat(values[i]).isIn(0f, 10f);
            assertThat(values[i + 1]).isIn(0f, 1f);
            assertThat(values[i + 2]).isEqualTo(3);
        }
    }

    @Test
    void filesThatAreNoImagesAreBadRows() throws IOException {
        writeImages();
        Files.writeString(folder.resolve("photos/cats/readme.txt"), "all cats");

        assertThatThrownBy(() -> prepare(images().build(), PICTURE))
                .hasMessageContainingAll("Cannot use 'file:", "cats/readme.txt': it is no JPEG, PNG");
        StoreIndex index = prepare(
                images().optBadRows(new BadRowsConfig(BadRowsConfig.Policy.SKIP, 1))
                        .build(),
                PICTURE);
        assertThat(index.samples()).isEqualTo(4);
        assertThat(index.badRows()).isEqualTo(1);
    }

    @Test
    void everyFileIsPartOfTheIdentity() throws IOException {
        writeImages();
        assertThat(SamplePreparation.open(TestSpark.session(), images().build(), model(PICTURE))
                        .identity())
                .hasSize(4)
                .allMatch(line -> line.contains(".png "));
    }

    @Test
    void aSizeThatTheModelDoesNotTakeIsRefusedBeforeAnyImageIsRead() throws IOException {
        writeImages();

        assertThatThrownBy(() ->
                        prepare(images().build(), new ValueInfo("x", ElementType.FLOAT32, new long[] {-1, 3, 8, 8})))
                .hasMessageContainingAll("[3, 2, 2]", "the model takes [3, 8, 8]");
    }

    /** Two birds (green 0) and two cats (green 1), red 10 and 20, in 4 x 3 pixels. */
    private void writeImages() throws IOException {
        int green = 0;
        for (String kind : List.of("birds", "cats")) {
            Files.createDirectories(folder.resolve("photos").resolve(kind));
            for (int i = 0; i < 2; i++) {
                BufferedImage image = new BufferedImage(4, 3, BufferedImage.TYPE_INT_RGB);
                for (int pixel = 0; pixel < 12; pixel++) {
                    image.setRGB(pixel % 4, pixel / 4, (i + 1) * 10 << 16 | green << 8 | 30);
                }
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                ImageIO.write(image, "png", out);
                Files.write(folder.resolve("photos").resolve(kind).resolve("ab".charAt(i) + ".png"), out.toByteArray());
            }
            green++;
        }
    }

    private static ImageConfig image(ImageConfig.Layout layout, String column) {
        return new ImageConfig(
                column,
                new int[] {2, 2},
                ImageConfig.Fit.STRETCH,
                ImageConfig.Interpolation.BILINEAR,
                true,
                null,
                0,
                ImageConfig.Color.RGB,
                layout,
                true,
                1000);
    }

    @Test
    void textBecomesTokensOfOneLength() throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), TOKENIZER);
        Files.writeString(folder.resolve("lines.txt"), "to be\nor not to be or\n");
        Map<String, InputMapping> inputs = new LinkedHashMap<>();
        inputs.put("input_ids", InputMapping.of("input_ids"));
        inputs.put("mask", InputMapping.of("attention_mask"));
        DatasetConfig config = DatasetConfig.builder(path("lines.txt"))
                .setInputs(inputs)
                .optText(new TextConfig(path("tokenizer.json"), "value", null, 4, null, true))
                .build();

        prepare(
                config,
                new ValueInfo("input_ids", ElementType.INT64, new long[] {-1, -1}),
                new ValueInfo("mask", ElementType.INT64, new long[] {-1, -1}));

        SampleBatch batch = read(2);
        List<List<Long>> samples = new ArrayList<>();
        for (int sample = 0; sample < 2; sample++) {
            List<Long> values = new ArrayList<>();
            for (String name : List.of("input_ids", "mask")) {
                long[] all = batch.inputs().get(name).longs();
                for (int i = 0; i < 4; i++) {
                    values.add(all[4 * sample + i]);
                }
            }
            samples.add(values);
        }
        assertThat(samples)
                .containsExactlyInAnyOrder(
                        List.of(1L, 2L, 9L, 9L, 1L, 1L, 0L, 0L), List.of(3L, 4L, 1L, 2L, 1L, 1L, 1L, 1L));
    }

    @Test
    void textsThatAreReadTogetherAreAsLongAsTheLongest() throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), TOKENIZER);
        Files.writeString(
                folder.resolve("lines.txt"), "to be\n" + "or not ".repeat(5) + "\n" + "be ".repeat(30) + "\n");
        DatasetConfig config = DatasetConfig.builder(path("lines.txt"))
                .setInputs(Map.of("input_ids", InputMapping.of("input_ids")))
                .optText(new TextConfig(
                        path("tokenizer.json"), "value", null, 20, null, true, TextConfig.Padding.LONGEST))
                .build();

        prepare(config, new ValueInfo("input_ids", ElementType.INT64, new long[] {-1, -1}));

        List<List<Long>> read = new ArrayList<>();
        for (int sample = 0; sample < 3; sample++) {
            SampleBatch one = SampleStore.open(
                            path("store"), TestSpark.context().hadoopConfiguration())
                    .read(sample, 1);
            read.add(java.util.Arrays.stream(one.inputs().get("input_ids").longs())
                    .boxed()
                    .toList());
        }
        assertThat(read)
                .containsExactlyInAnyOrder(
                        List.of(1L, 2L, 9L, 9L, 9L, 9L, 9L, 9L),
                        List.of(3L, 4L, 3L, 4L, 3L, 4L, 3L, 4L, 3L, 4L, 9L, 9L, 9L, 9L, 9L, 9L),
                        java.util.Collections.nCopies(20, 2L));
        assertThat(read(3).inputs().get("input_ids").shape()).containsExactly(3, 20);
        assertThatThrownBy(() -> prepare(config, new ValueInfo("input_ids", ElementType.INT64, new long[] {-1, 20})))
                .hasMessageContaining("the model takes exactly 20 tokens");
    }

    /** 600 texts of 1 to 100 words. Without order, eight of them are padded to 90 words and more on average. */
    @Test
    void textsOfLikeLengthAreTogetherAndStayTheSamplesThatTheLimitTakes() throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), TOKENIZER);
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 600; i++) {
            lines.append("to ".repeat(1 + i % 100))
                    .append("be or ".repeat(i / 100))
                    .append('\n');
        }
        Files.writeString(folder.resolve("lines.txt"), lines);
        DatasetConfigBuilder config = DatasetConfig.builder(path("lines.txt"))
                .optId("value")
                .setInputs(Map.of("input_ids", InputMapping.of("input_ids")));
        ValueInfo input = new ValueInfo("input_ids", ElementType.INT64, new long[] {-1, -1});
        TextConfig padded = new TextConfig(path("tokenizer.json"), "value", null, 120, null, true);

        StoreIndex fixed = prepare(config.optText(padded).optLimit(500L).build(), input);
        java.util.TreeSet<String> expected = texts(0, (int) fixed.samples());
        TextConfig ragged =
                new TextConfig(path("tokenizer.json"), "value", null, 120, null, true, TextConfig.Padding.LONGEST);
        prepare(config.optText(ragged).build(), input);

        assertThat(texts(0, 500)).isEqualTo(expected).hasSize(500);
        assertThat(texts(0, LengthBuckets.WINDOW)).hasSize(LengthBuckets.WINDOW);
        long computed = 0;
        long used = 0;
        for (int first = 0; first + 8 <= 500; first += 8) {
            long[] ids = read(first, 8).inputs().get("input_ids").longs();
            computed += ids.length;
            used += java.util.Arrays.stream(ids).filter(id -> id != 9).count();
        }
        // Lengths are multiples of 8: on average 4 tokens of about 55 are padding, and little more.
        assertThat((double) used / computed).isGreaterThan(0.85);
    }

    private java.util.TreeSet<String> texts(int first, int size) {
        long[] ids = read(first, size).inputs().get("input_ids").longs();
        java.util.TreeSet<String> texts = new java.util.TreeSet<>();
        for (int i = 0; i < size; i++) {
            texts.add(java.util.Arrays.stream(ids, i * (ids.length / size), (i + 1) * (ids.length / size))
                    .filter(id -> id != 9)
                    .mapToObj(Long::toString)
                    .collect(java.util.stream.Collectors.joining(" ")));
        }
        return texts;
    }

    private static final String TOKENIZER =
            """
            {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"},
             "padding": {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": null, "pad_id": 9,
                         "pad_type_id": 0, "pad_token": "?"},
             "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "to": 1, "be": 2, "or": 3, "not": 4}}}
            """;

    private StoreIndex prepare(DatasetConfig config, ValueInfo... inputs) {
        return SamplePreparation.open(TestSpark.session(), config, model(inputs))
                .write(path("store"), path("quarantine"), 3);
    }

    private static Graph model(ValueInfo... inputs) {
        return new Graph("model", 13, List.of(inputs), List.of(), Map.of(), List.of());
    }

    private SampleBatch read(int size) {
        return read(0, size);
    }

    private SampleBatch read(int first, int size) {
        return SampleStore.open(path("store"), TestSpark.context().hadoopConfiguration())
                .read(first, size);
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }
}
