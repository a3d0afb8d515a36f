package dev.gptq.export;

import dev.gptq.GptqException;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.TensorData;
import java.util.List;
import java.util.Map;

/** The constants of one activation grid, and the QuantizeLinear / DequantizeLinear pairs that use them. */
final class ActivationPair {
    private static final int LARGEST_BYTE = 255;

    private final GraphEditor editor;
    private final QuantizationGrid grid;
    private final String scale;
    private final String zeroPoint;

    /**
     * Adds the constants.
     *
     * @param type INT8, or UINT8, in which a signed grid is shifted up: that changes no real value
     */
    ActivationPair(GraphEditor editor, ActivationQuantizer quantizer, ElementType type) {
        this.editor = editor;
        this.grid = quantizer.grid();
        if (grid.maximum() - grid.minimum() > LARGEST_BYTE) {
            throw GptqException.unsupported(
                    "Cannot export activation '%s' of %d bits: its integers do not fit into 8 bits. "
                            + "Set quantization.activations.bits to 8 or less.",
                    quantizer.tensor(), quantizer.bits());
        }
        boolean shifted = type == ElementType.UINT8 && grid.minimum() < 0;
        long zeroPointValue = grid.zeroPoint()[0] + (shifted ? -grid.minimum() : 0);
        this.scale = editor.constant(quantizer.tensor() + "_scale", TensorData.ofFloats(new float[] {grid.scale()[0]}));
        this.zeroPoint = editor.constant(
                quantizer.tensor() + "_zero_point", TensorData.ofLongs(type, new long[] {zeroPointValue}));
    }

    /**
     * The type that all of a plan's activations share: INT8 when every grid is signed, else UINT8. Runtimes make an
     * operator an integer one only when the types of its input and output are the same.
     */
    static ElementType typeFor(List<ActivationQuantizer> activations) {
        return activations.stream().allMatch(quantizer -> quantizer.grid().minimum() < 0)
                ? ElementType.INT8
                : ElementType.UINT8;
    }

    /** Whether quantizing alone already cuts off everything below zero, so that a Relu before it can be dropped. */
    boolean startsAtZero() {
        return grid.zeroPoint()[0] == grid.minimum() && fillsType();
    }

    /** Whether quantizing leaves {@code value} as it is. */
    boolean holds(float value) {
        float[] one = {value};
        long[] shape = {1};
        return grid.dequantize(grid.quantize(one, shape), shape)[0] == value;
    }

    /** The smallest value of the grid. */
    double lowest() {
        return (double) grid.scale()[0] * (grid.minimum() - grid.zeroPoint()[0]);
    }

    /** The largest value of the grid. */
    double highest() {
        return (double) grid.scale()[0] * (grid.maximum() - grid.zeroPoint()[0]);
    }

    /** Adds a pair that reads {@code input} and yields {@code output}. */
    void add(String input, String output) {
        String bounded = input;
        if (!fillsType()) {
            bounded = editor.unique(output + "_bounded");
            editor.add("Clip", List.of(input, limit(output, lowest()), limit(output, highest())), bounded, Map.of());
        }
        String integers = editor.unique(output + "_quantized");
        editor.add("QuantizeLinear", List.of(bounded, scale, zeroPoint), integers, Map.of());
        editor.add("DequantizeLinear", List.of(integers, scale, zeroPoint), output, Map.of());
    }

    private String limit(String output, double value) {
        return editor.constant(output + "_limit", TensorData.ofFloats(new float[] {(float) value}));
    }

    /** Whether the grid has all 256 values of its type; QuantizeLinear itself clips only to those. */
    private boolean fillsType() {
        return grid.maximum() - grid.minimum() == LARGEST_BYTE;
    }
}
