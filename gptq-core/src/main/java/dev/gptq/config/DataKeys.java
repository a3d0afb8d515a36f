package dev.gptq.config;

import java.util.List;

import static dev.gptq.config.ConfigKey.FROM_ONE;
import static dev.gptq.config.ConfigKey.TEXT_OR_NULL;
import static dev.gptq.config.ConfigKey.key;
import static dev.gptq.config.ConfigKey.section;

/** The keys of the section data. */
final class DataKeys {
    static final List<ConfigKey> ALL = List.of(
            section("data", "The datasets"),
            section("data.calibration", "The representative dataset; needs no labels. Required"),
            key("data.calibration.path", "a path", "Parquet file or directory, or .npz file. Required"),
            key("data.calibration.format", "parquet, npz or null", "Null: taken from the path's suffix"),
            section(
                    "data.calibration.inputs",
                    "For each model input by name: where its values come from, value = (raw * scale - mean) / std. "
                            + "Required for calibration; evaluation takes calibration's by default"),
            section("data.calibration.inputs.*", "The name of a model input"),
            key("data.calibration.inputs.*.column", "text", "Column or npz array. Default: the input's name"),
            key(
                    "data.calibration.inputs.*.type",
                    String.join(", ", InputMapping.TYPES) + " or null",
                    "Element type of a binary column; null for numbers and arrays"),
            key(
                    "data.calibration.inputs.*.shape",
                    "a list of whole numbers from 1 up, or null",
                    "Shape of one sample without the batch dimension; null: taken from the model"),
            key("data.calibration.inputs.*.scale", "a number other than 0", "Factor of the raw value"),
            key("data.calibration.inputs.*.mean", "a number, or a list with one per channel", "Subtracted after scale"),
            key("data.calibration.inputs.*.std", "a number, or a list with one per channel", "Divides after mean"),
            key("data.calibration.label", TEXT_OR_NULL, "Column of class labels; evaluation needs it for top-1"),
            key("data.calibration.id", TEXT_OR_NULL, "Column of stable sample ids; null: ids follow from the content"),
            key("data.calibration.limit", FROM_ONE + ", or null", "Samples taken; null: all"),
            section("data.evaluation", "Data to measure on, or null for none. Keys as in data.calibration"));

    private DataKeys() {}
}
