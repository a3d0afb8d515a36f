package dev.gptq.export;

import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.List;
import java.util.Map;

/**
 * Reads rows of a table of integers and turns those rows into real numbers, with the arithmetic of DequantizeLinear. A
 * DequantizeLinear in front of the Gather would say the same, and ONNX Runtime would turn the whole table into real numbers
 * in every run.
 */
final class EmbeddingRows {
    private static final int HALF_OF_BYTE = 128;

    private final GraphEditor editor;
    private final QdqOperators operators;

    EmbeddingRows(GraphEditor editor, QdqOperators operators) {
        this.editor = editor;
        this.operators = operators;
    }

    /**
     * Adds what takes the place of a Gather.
     *
     * @param gather with the inputs that it has in the exported graph, but for its table
     * @param shape of the table
     * @param output what the rows are written to
     */
    void add(Node gather, QuantizedLayer layer, long[] shape, String output) {
        String table = layer.point().weight();
        QuantizationGrid grid = layer.grid();
        StoredKernel stored = StoredKernel.of(layer, shape, false);
        boolean common = stored.values() != null;
        byte[] integers = common ? stored.values() : StoredKernel.fromLowest(layer);
        String constant = editor.constant(table + "_quantized", TensorData.ofBytes(ElementType.INT8, integers, shape));
        String rows = picked(gather, constant, output + "_quantized");
        if (grid.channelAxis() < 0) {
            String scale = editor.constant(table + "_scale", TensorData.ofFloats(grid.scale()));
            long[] zeroPoint = {common ? stored.zeroPoint() : grid.zeroPoint()[0] - HALF_OF_BYTE};
            String zero = editor.constant(table + "_zero_point", TensorData.ofLongs(ElementType.INT8, zeroPoint));
            editor.add(operators.dequantize(ElementType.INT8), List.of(rows, scale, zero), output, Map.of());
            return;
        }
        String centred = editor.unique(output + "_cast");
        editor.add("Cast", List.of(rows), centred, Map.of("to", (long) ElementType.FLOAT32.onnxCode()));
        if (!common || stored.zeroPoint() != 0) {
            float[] zeroPoints = new float[common ? 1 : grid.zeroPoint().length];
            for (int row = 0; row < zeroPoints.length; row++) {
                zeroPoints[row] = common ? stored.zeroPoint() : grid.zeroPoint()[row] - HALF_OF_BYTE;
            }
            String zero = editor.constant(table + "_zero_point", TensorData.ofFloats(zeroPoints, zeroPoints.length, 1));
            String difference = editor.unique(output + "_centred");
            String subtracted = common ? zero : picked(gather, zero, output + "_zero_point");
            editor.add("Sub", List.of(centred, subtracted), difference, Map.of());
            centred = difference;
        }
        String scale = editor.constant(table + "_scale", TensorData.ofFloats(grid.scale(), grid.scale().length, 1));
        editor.add("Mul", List.of(centred, picked(gather, scale, output + "_scale")), output, Map.of());
    }

    private String picked(Node gather, String table, String name) {
        String rows = editor.unique(name);
        editor.add("Gather", List.of(table, gather.input(1)), rows, gather.attributes());
        return rows;
    }
}
