package dev.gptq.config;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class DatasetConfigTest {
    @Test
    void everyKeyOfADatasetIsReadAndWritten() {
        RunConfig config = Minimal.with(
                """
                data.calibration={path: [a.csv, b.csv], format: csv, inputs: {x: {column: image}}, label: kind, \
                classes: [cat, dog], id: key, limit: 9, filter: "x > 1 and y is not null", columns: {z: "array(a, b)"}, \
                schema: "a int, b int", options: {sep: ";", header: "false"}, bad_rows: quarantine, bad_rows_budget: 12, \
                reader: com.example.Mine, \
                image: {column: jpeg, resize: [20, 30], fit: letterbox, interpolation: bicubic, antialias: false, crop: 7, \
                pad: 114, color: bgr, layout: nhwc, exif_orientation: false, max_pixels: 1000}, \
                text: {tokenizer: t.json, column: s, pair: u, max_length: 16, pad_id: 1, add_special_tokens: false, padding: longest}}""",
                "allow_user_classes=true");

        assertThat(config.calibration())
                .isEqualTo(DatasetConfig.builder("a.csv", "b.csv")
                        .optFormat("csv")
                        .setInputs(Map.of("x", InputMapping.of("image")))
                        .optLabel("kind")
                        .optClasses(List.of("cat", "dog"))
                        .optId("key")
                        .optLimit(9L)
                        .optTable(new TableConfig(
                                "a int, b int",
                                Map.of("sep", ";", "header", "false"),
                                Map.of("z", "array(a, b)"),
                                "x > 1 and y is not null"))
                        .optImage(new ImageConfig(
                                "jpeg",
                                new int[] {20, 30},
                                ImageConfig.Fit.LETTERBOX,
                                ImageConfig.Interpolation.BICUBIC,
                                false,
                                new int[] {7},
                                114,
                                ImageConfig.Color.BGR,
                                ImageConfig.Layout.NHWC,
                                false,
                                1000))
                        .optText(new TextConfig("t.json", "s", "u", 16, 1L, false, TextConfig.Padding.LONGEST))
                        .optBadRows(new BadRowsConfig(BadRowsConfig.Policy.QUARANTINE, 12))
                        .optReader("com.example.Mine")
                        .build());
        assertThat(RunConfigReader.read(RunConfigReader.toYaml(config), "again.yaml", List.of()))
                .isEqualTo(config);
    }

    @Test
    void evaluationTakesOverHowSamplesAreMade() {
        RunConfig config = Minimal.with(
                "data.calibration.image={resize: 8}",
                "data.calibration.columns={z: a + b}",
                "data.calibration.filter=a > 0",
                "data.evaluation.path=e.parquet",
                "data.evaluation.image=null");

        assertThat(config.evaluation().table().columns()).containsEntry("z", "a + b");
        assertThat(config.evaluation().table().filter()).isNull();
        assertThat(config.evaluation().image()).isNull();
        assertThat(config.calibration().image().resize()).containsExactly(8);
    }

    @ParameterizedTest
    @CsvSource({
        "a.parquet, PARQUET",
        "folder, PARQUET",
        "s3a://b/*.orc, ORC",
        "a.avro, AVRO",
        "a.JSONL.gz, JSON",
        "a.csv.zst, CSV",
        "a.txt, TEXT",
        "x/*.jpg, IMAGES",
        "a.npy, NPZ"
    })
    void theSuffixNamesTheFormat(String path, DataFormat format) {
        assertThat(DatasetConfig.of(path, Map.of("x", InputMapping.of("x"))).resolvedFormat())
                .isEqualTo(format);
    }

    @Test
    void aFolderOfWhichImagesAreDescribedHoldsImageFiles() {
        DatasetConfig folder = DatasetConfig.builder("hdfs:///photos")
                .setInputs(Map.of("x", InputMapping.of("image")))
                .optImage(ImageConfig.defaults())
                .build();

        assertThat(folder.resolvedFormat()).isEqualTo(DataFormat.IMAGES);
    }

    @Test
    void theBudgetIsAFractionOrANumberOfRows() {
        assertThat(new BadRowsConfig(BadRowsConfig.Policy.SKIP, 0.25).allowed(10))
                .isEqualTo(2);
        assertThat(new BadRowsConfig(BadRowsConfig.Policy.SKIP, 25).allowed(10)).isEqualTo(25);
        assertThat(BadRowsConfig.fail().allowed(10)).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "data.calibration.path=[] | data.calibration.path null | list of them",
                "data.calibration.options={path: x} | data.calibration.options.path x | Use comment, encoding",
                "data.calibration.filter='' | data.calibration.filter '' | Use null",
                "data.calibration.classes=[a, a] | data.calibration.classes [a, a] | each class once",
                "data.calibration.bad_rows=ignore | data.calibration.bad_rows ignore | fail, skip or quarantine",
                "data.calibration.bad_rows_budget=1.5 | data.calibration.bad_rows_budget 1.5 | 0.01",
                "data.calibration.reader=com.example.R | data.calibration.reader com.example.R | allow_user_classes to true",
                "data.calibration.image={crop: [1, 2, 3]} | data.calibration.image.crop [1, 2, 3] | for example 224",
                "data.calibration.image={fit: letterbox} | data.calibration.image.fit letterbox | [height, width]",
                "data.calibration.image={pad: 256} | data.calibration.image.pad 256 | 0 to 255",
                "data.calibration.image={size: 3} | key data.calibration.image.size | the keys column, resize",
                "data.calibration.image={color: cmyk} | data.calibration.image.color cmyk | rgb, bgr or grey",
                "data.calibration.text={max_length: 9} | data.calibration.text.tokenizer null | tokenizer.json",
                "data.calibration.text={tokenizer: t, max_length: 0} | data.calibration.text.max_length 0 | from 1",
            })
    void whatCannotBeIsRefusedWithItsPlace(String override, String keyAndValue, String remedy) {
        assertThatThrownBy(() -> Minimal.with(override))
                .hasMessageStartingWith("Cannot use " + keyAndValue)
                .hasMessageContaining(remedy);
    }

    @Test
    void textInPlaceOfAnInputsSectionNamesItsColumn() {
        RunConfig written = Minimal.with("data.calibration.inputs={input: image}");
        RunConfig replaced = Minimal.with("data.calibration.inputs.input=image");

        assertThat(written).isEqualTo(Minimal.with("data.calibration.inputs.input.column=image"));
        assertThat(replaced).isEqualTo(written);
    }
}
