package dev.gptq.config;

import java.util.List;

import static dev.gptq.config.ConfigKey.FLAG;
import static dev.gptq.config.ConfigKey.FROM_ONE;
import static dev.gptq.config.ConfigKey.TEXT_OR_NULL;
import static dev.gptq.config.ConfigKey.example;
import static dev.gptq.config.ConfigKey.key;
import static dev.gptq.config.ConfigKey.section;

/** The keys of the section data. */
final class DataKeys {
    private static final String EXTENTS = "a whole number, [height, width] or null";

    static final List<ConfigKey> ALL = List.of(
            section("data", "The datasets"),
            section("data.calibration", "The representative dataset; needs no labels. Required"),
            key(
                    "data.calibration.path",
                    "a path or a list of paths",
                    "Files, folders or globs on any Hadoop file system. Required"),
            key(
                    "data.calibration.format",
                    DataFormat.names() + " or null",
                    "Null: taken from the first path's suffix, else parquet"),
            section(
                    "data.calibration.inputs",
                    "For each model input by name: where its values come from, value = (raw * scale - mean) / std. "
                            + "Required for calibration; evaluation takes calibration's by default"),
            section(
                    "data.calibration.inputs.*",
                    "The name of a model input; text in place of a section names its column"),
            key("data.calibration.inputs.*.column", "text", "Column or npz array. Default: the input's name"),
            key(
                    "data.calibration.inputs.*.type",
                    String.join(", ", InputMapping.TYPES) + " or null",
                    "Element type of a binary column of raw values; null for numbers, arrays, images and text"),
            key(
                    "data.calibration.inputs.*.shape",
                    "a list of whole numbers from 1 up, or null",
                    "Shape of one sample without the batch dimension; null: taken from the model"),
            key("data.calibration.inputs.*.scale", "a number other than 0", "Factor of the raw value"),
            key("data.calibration.inputs.*.mean", "a number, or a list with one per channel", "Subtracted after scale"),
            key("data.calibration.inputs.*.std", "a number, or a list with one per channel", "Divides after mean"),
            key(
                    "data.calibration.label",
                    TEXT_OR_NULL,
                    "Column of class labels; evaluation needs it for top-1. Image files have the column folder"),
            key(
                    "data.calibration.classes",
                    "a list of names, or null",
                    "Labels that are text, in the order of the model's outputs. Null: labels are numbers, or the folders' "
                            + "names in their order"),
            key(
                    "data.calibration.id",
                    TEXT_OR_NULL,
                    "Column of stable sample ids; null: ids follow from the content, those of image files from folder and "
                            + "name"),
            key(
                    "data.calibration.filter",
                    "a Spark SQL expression, or null",
                    "Rows for which it is not true are left out"),
            key(
                    "data.calibration.limit",
                    FROM_ONE + ", or null",
                    "Samples taken: those whose hash of seed and id is smallest, so however the data is stored the same "
                            + "ones; null: all"),
            section(
                    "data.calibration.columns",
                    "Further columns: name: Spark SQL expression. Evaluation takes calibration's by default"),
            section("data.calibration.columns.*", "The name of a column"),
            key(
                    "data.calibration.schema",
                    "columns as in CREATE TABLE, such as 'id long, x array<float>', or null",
                    "Columns of CSV and JSON files; null: inferred, which reads them once more"),
            section(
                    "data.calibration.options",
                    "How CSV, JSON and text are split, as in Spark's reader: "
                            + String.join(", ", TableConfig.OPTIONS)),
            section("data.calibration.options.*", "The name of an option"),
            section(
                    "data.calibration.image",
                    "How encoded images become an input; null: there are none. Evaluation takes calibration's by default"),
            example(
                    "data.calibration.image.column",
                    "text",
                    "Binary column of encoded images, or the name that image files get; inputs name it as column",
                    "image"),
            example(
                    "data.calibration.image.resize",
                    EXTENTS,
                    "One number: the shorter edge, aspect ratio kept. Null: as they are",
                    "[224, 224]"),
            example(
                    "data.calibration.image.fit",
                    "stretch or letterbox",
                    "Letterbox keeps the aspect ratio within [height, width] and pads the rest",
                    "stretch"),
            example("data.calibration.image.interpolation", "nearest, bilinear, bicubic or area", "Filter", "bilinear"),
            example(
                    "data.calibration.image.antialias",
                    FLAG,
                    "Whether filters widen when images shrink: Pillow's way; without, OpenCV's",
                    "true"),
            example("data.calibration.image.crop", EXTENTS, "The centre that is kept, padded where missing", "224"),
            example("data.calibration.image.pad", "0 to 255", "Value of padded pixels", "0"),
            example("data.calibration.image.color", "rgb, bgr or grey", "Channels and their order", "rgb"),
            example("data.calibration.image.layout", "nchw or nhwc", "Order of a sample's values", "nchw"),
            example("data.calibration.image.exif_orientation", FLAG, "Whether JPEGs are turned as they say", "true"),
            example(
                    "data.calibration.image.max_pixels",
                    FROM_ONE,
                    "Images with more are bad rows and are not decoded",
                    Long.toString(ImageConfig.DEFAULT_MAX_PIXELS)),
            section(
                    "data.calibration.text",
                    "How text becomes the columns input_ids, attention_mask and token_type_ids; null: there is none. "
                            + "Evaluation takes calibration's by default"),
            example("data.calibration.text.tokenizer", "a path", "A HuggingFace tokenizer.json", "tokenizer.json"),
            example("data.calibration.text.column", "text", "Column of text; value in text files", "value"),
            example("data.calibration.text.pair", TEXT_OR_NULL, "Column of a second text", "null"),
            example(
                    "data.calibration.text.max_length",
                    FROM_ONE,
                    "Tokens of every sample: longer texts are cut, shorter ones padded",
                    Integer.toString(TextConfig.DEFAULT_MAX_LENGTH)),
            example(
                    "data.calibration.text.pad_id",
                    "a whole number from 0 up, or null",
                    "Token of padding; null: the tokenizer's, else 0",
                    "null"),
            example("data.calibration.text.add_special_tokens", FLAG, "Whether [CLS] and the like are added", "true"),
            example(
                    "data.calibration.text.padding",
                    "max_length or longest",
                    "longest: texts that are computed together are padded to the longest of them, rounded up to a multiple "
                            + "of 8; for models that take any length",
                    "max_length"),
            key(
                    "data.calibration.bad_rows",
                    "fail, skip or quarantine",
                    "What becomes of rows that cannot be used: fail names the first one; skip leaves them out; quarantine "
                            + "also lists them in the run directory"),
            key(
                    "data.calibration.bad_rows_budget",
                    "a fraction below 1, or a whole number of rows",
                    "With more bad rows the run fails"),
            key(
                    "data.calibration.reader",
                    "a class name, or null",
                    "Class of yours that reads the dataset (dev.gptq.spark.data.SampleReader); needs allow_user_classes"),
            section("data.evaluation", "Data to measure on, or null for none. Keys as in data.calibration"));

    private DataKeys() {}
}
