package dev.gptq.export;

import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.graph.TensorData;
import java.util.List;
import java.util.Map;

/**
 * The constants of one activation grid, and the QuantizeLinear / DequantizeLinear pairs that use them. A grid that does not
 * fill its integer type has a Clip of the integers between the two, so that the operator before still meets QuantizeLinear.
 */
final class ActivationPair {
    private final GraphEditor editor;
    private final QdqOperators operators;
    private final QuantizationGrid grid;
    private final StoredActivation stored;
    private final float step;
    private final String scale;
    private final String zeroPoint;

    /**
     * Adds the constants.
     *
     * @param step the scale to be written
     */
    ActivationPair(
            GraphEditor editor,
            QdqOperators operators,
            ActivationQuantizer quantizer,
            StoredActivation stored,
            float step) {
        this.editor = editor;
        this.operators = operators;
        this.grid = quantizer.grid();
        this.stored = stored;
        this.step = step;
        this.scale = editor.constant(quantizer.tensor() + "_scale", TensorData.ofFloats(new float[] {step}));
        this.zeroPoint = integer(quantizer.tensor() + "_zero_point", stored.zeroPoint());
    }

    float step() {
        return step;
    }

    /** Whether quantizing alone already cuts off everything below zero, so that a Relu before it can be dropped. */
    boolean startsAtZero() {
        return stored.zeroPoint() == stored.typeMinimum();
    }

    /** Whether quantizing leaves {@code value} as it is. */
    boolean holds(float value) {
        float[] one = {value};
        long[] shape = {1};
        return grid.dequantize(grid.quantize(one, shape), shape)[0] == value;
    }

    /** The smallest value that QuantizeLinear lets through. */
    double lowest() {
        return (double) grid.scale()[0] * (stored.typeMinimum() - stored.zeroPoint());
    }

    /** The largest value that QuantizeLinear lets through. */
    double highest() {
        return (double) grid.scale()[0] * (stored.typeMaximum() - stored.zeroPoint());
    }

    /** Adds a pair that reads {@code input} and yields {@code output}. */
    void add(String input, String output) {
        String integers = quantize(input, output);
        if (!stored.fillsType()) {
            String bounded = editor.unique(output + "_bounded");
            String low = integer(output + "_limit", stored.minimum());
            String high = integer(output + "_limit", stored.maximum());
            editor.add("Clip", List.of(integers, low, high), bounded, Map.of());
            integers = bounded;
        }
        dequantize(integers, output);
    }

    /** Adds a pair for values that are on the grid, or whose further way ends in a pair of this grid. */
    void addWithoutLimits(String input, String output) {
        dequantize(quantize(input, output), output);
    }

    private String quantize(String input, String output) {
        String integers = editor.unique(output + "_quantized");
        editor.add(operators.quantize(stored.type()), List.of(input, scale, zeroPoint), integers, Map.of());
        return integers;
    }

    private void dequantize(String integers, String output) {
        editor.add(operators.dequantize(stored.type()), List.of(integers, scale, zeroPoint), output, Map.of());
    }

    private String integer(String name, long value) {
        return editor.constant(name, TensorData.ofLongs(stored.type(), new long[] {value}));
    }
}
