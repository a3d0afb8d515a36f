package dev.gptq.config;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * How one dataset column becomes one model input: value = (raw * scale - mean) / std.
 *
 * @param column column of a table, or array name of an npz file
 * @param type element type of a binary column, one of {@link #TYPES}; null for arrays and numbers
 * @param shape shape of one sample without the batch dimension; null: taken from the model
 * @param scale factor of the raw value, default 1; finite, not 0
 * @param mean one value or one per channel, default 0
 * @param std one value or one per channel, default 1; above 0
 */
public record InputMapping(String column, String type, long[] shape, double scale, double[] mean, double[] std)
        implements Serializable {
    /** Element types a binary column may hold, little endian. */
    public static final List<String> TYPES = List.of("uint8", "int8", "int32", "int64", "float32", "float64");

    public InputMapping {
        Check.text(column, "column", "Set it to a column of the table or an array of the npz file");
        Check.that(
                type == null || TYPES.contains(type),
                "type",
                type,
                "it is not an element type of binary columns",
                "Use one of " + String.join(", ", TYPES) + ", or null for a column of numbers or arrays");
        if (shape != null) {
            Check.that(
                    Arrays.stream(shape).allMatch(extent -> extent >= 1),
                    "shape",
                    Arrays.toString(shape),
                    "an extent is less than 1",
                    "Give the shape of one sample without the batch dimension, for example [1, 28, 28]");
            shape = shape.clone();
        }
        Check.that(
                Double.isFinite(scale) && scale != 0,
                "scale",
                scale,
                "it is not a finite number other than 0",
                "Use for example 0.00392156862745098 for pixels of 0 to 255");
        mean = mean == null ? new double[] {0} : mean.clone();
        std = std == null ? new double[] {1} : std.clone();
        Check.finite(mean, "mean");
        Check.finite(std, "std");
        Check.that(mean.length > 0, "mean", "[]", "it is empty", "Use one value or one per channel");
        Check.that(
                std.length > 0 && Arrays.stream(std).allMatch(value -> value > 0),
                "std",
                Arrays.toString(std),
                "it is empty or holds a value that is not above 0",
                "Use one positive value or one per channel");
        Check.that(
                mean.length == std.length || mean.length == 1 || std.length == 1,
                "std",
                Arrays.toString(std),
                "it has " + std.length + " values and mean has " + mean.length,
                "Give both the same number of values, or a single one");
    }

    /** A column that already holds what the model expects. */
    public static InputMapping of(String column) {
        return new InputMapping(column, null, null, 1, null, null);
    }

    @Override
    public long[] shape() {
        return shape == null ? null : shape.clone();
    }

    @Override
    public double[] mean() {
        return mean.clone();
    }

    @Override
    public double[] std() {
        return std.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof InputMapping that
                && column.equals(that.column)
                && Objects.equals(type, that.type)
                && Arrays.equals(shape, that.shape)
                && Double.compare(scale, that.scale) == 0
                && Arrays.equals(mean, that.mean)
                && Arrays.equals(std, that.std);
    }

    @Override
    public int hashCode() {
        return Objects.hash(column, type, Arrays.hashCode(shape), scale, Arrays.hashCode(mean), Arrays.hashCode(std));
    }

    @Override
    public String toString() {
        return "InputMapping[column=%s, type=%s, shape=%s, scale=%s, mean=%s, std=%s]"
                .formatted(column, type, Arrays.toString(shape), scale, Arrays.toString(mean), Arrays.toString(std));
    }
}
