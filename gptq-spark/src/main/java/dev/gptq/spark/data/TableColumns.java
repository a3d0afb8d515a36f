package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.InputMapping;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.IntegralType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;

/** Checks that a table's columns can be what the configuration takes them for. */
final class TableColumns {
    private final StructType schema;
    private final DatasetConfig config;

    TableColumns(StructType schema, DatasetConfig config) {
        this.schema = schema;
        this.config = config;
    }

    void check(List<InputMapping> mappings, SampleDecoder decoder) {
        for (InputMapping mapping : mappings) {
            if (decoder == null || !decoder.yields(mapping.column())) {
                checkInput(mapping);
            }
        }
        if (decoder != null) {
            decoder.sources().forEach(column -> checkSource(column, decoder));
        }
        checkLabel();
        if (config.id() != null
                && !(typeOf(config.id()) instanceof IntegralType || typeOf(config.id()) instanceof StringType)) {
            throw GptqException.badInput(
                    "Cannot use id column '%s' of '%s': its type is %s. Give an integer or string column.",
                    config.id(), config.path(), typeOf(config.id()).simpleString());
        }
    }

    private void checkInput(InputMapping mapping) {
        DataType type = typeOf(mapping.column());
        DataType element = type;
        while (element instanceof ArrayType array) {
            element = array.elementType();
        }
        boolean binary = type instanceof BinaryType;
        if (!binary && !(element instanceof NumericType) && !(element instanceof BooleanType)) {
            throw GptqException.badInput(
                    "Cannot use column '%s' of '%s': its type is %s. Give a column of numbers, arrays of numbers or"
                            + " binary; encoded images and text need the section image or text.",
                    mapping.column(), config.path(), type.simpleString());
        }
        if (binary && RawType.named(mapping.type()) == null) {
            throw GptqException.badInput(
                    "Cannot use binary column '%s' of '%s': element type '%s' is unknown. Set the input's 'type' to"
                            + " uint8, int8, int32, int64, float32 or float64, or describe images in the section image.",
                    mapping.column(), config.path(), mapping.type());
        }
    }

    private void checkSource(String column, SampleDecoder decoder) {
        DataType type = typeOf(column);
        String expected = decoder.expectedType(type);
        if (expected != null) {
            throw GptqException.badInput(
                    "Cannot use column '%s' of '%s': its type is %s. Give a %s column.",
                    column, config.path(), type.simpleString(), expected);
        }
    }

    private void checkLabel() {
        if (config.label() == null) {
            return;
        }
        DataType type = typeOf(config.label());
        boolean named = type instanceof StringType && (config.classes() != null || isFolder());
        if (!(type instanceof IntegralType) && !named) {
            throw GptqException.badInput(
                    "Cannot use label column '%s' of '%s': its type is %s. Give an integer column, or text and its"
                            + " 'classes'.",
                    config.label(), config.path(), type.simpleString());
        }
    }

    private boolean isFolder() {
        return config.label().equals(TableReader.FOLDER)
                && Arrays.asList(schema.fieldNames()).contains(TableReader.IMAGE_ID);
    }

    private DataType typeOf(String column) {
        if (!Arrays.asList(schema.fieldNames()).contains(column)) {
            throw GptqException.badInput(
                    "Cannot find column '%s' in '%s': its columns are %s. Correct the column's name.",
                    column, config.path(), own(schema));
        }
        return schema.apply(column).dataType();
    }

    /** Names of a table's columns without those that are added here. */
    static String own(StructType schema) {
        return Arrays.stream(schema.fieldNames())
                .filter(name -> !name.startsWith("gptq."))
                .collect(Collectors.joining(", "));
    }

    /** A column by its name, whatever characters that has. */
    static Column quoted(String column) {
        return functions.col("`" + column.replace("`", "``") + "`");
    }
}
