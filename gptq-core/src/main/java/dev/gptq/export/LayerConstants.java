package dev.gptq.export;

import dev.gptq.calibrate.BiasGrid;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Writes kernels and biases as integers and what turns them back into real numbers. */
final class LayerConstants {
    private static final long HALF_OF_BYTE = 128;

    private final Graph prepared;
    private final QuantizationPlan plan;
    private final GraphEditor editor;
    private final QdqOperators operators;

    LayerConstants(Graph prepared, QuantizationPlan plan, GraphEditor editor, QdqOperators operators) {
        this.prepared = prepared;
        this.plan = plan;
        this.editor = editor;
        this.operators = operators;
    }

    /** Adds the constants and nodes of one layer; returns what takes the place of its kernel and bias. */
    Map<String, String> add(QuantizedLayer layer) {
        Map<String, String> replaced = new HashMap<>();
        String weight = layer.point().weight();
        replaced.put(weight, kernel(layer, weight));
        String bias = layer.point().bias();
        if (bias != null && layer.bias() != null) {
            replaced.put(bias, bias(layer, bias));
        }
        return replaced;
    }

    private String kernel(QuantizedLayer layer, String name) {
        long[] shape = prepared.constants().get(name).shape();
        QuantizationGrid grid = layer.grid();
        StoredKernel stored = StoredKernel.of(layer, shape, operators.hasNibbles());
        if (stored.values() == null) {
            return kernelOfManyZeroPoints(layer, name, shape);
        }
        long[] zeroPoints = new long[grid.scale().length];
        Arrays.fill(zeroPoints, stored.zeroPoint());
        String integers =
                editor.constant(name + "_quantized", TensorData.ofBytes(stored.type(), stored.values(), shape));
        if (stored.type() == ElementType.INT4) {
            // ONNX Runtime folds the cast when it loads the model, and has integer kernels for int8 only.
            String wide = editor.unique(name + "_int8");
            editor.add("Cast", List.of(integers), wide, Map.of("to", (long) ElementType.INT8.onnxCode()));
            integers = wide;
        }
        String output = editor.unique(name + "_dequantized");
        if (grid.channelAxis() < 0) {
            dequantize(integers, TensorData.ofFloats(grid.scale()), zeroPoints, output, Map.of(), name);
        } else {
            TensorData scale = TensorData.ofFloats(grid.scale(), grid.scale().length);
            dequantize(integers, scale, zeroPoints, output, Map.of("axis", (long) grid.channelAxis()), name);
        }
        return output;
    }

    private void dequantize(
            String integers,
            TensorData scale,
            long[] zeroPoints,
            String output,
            Map<String, Serializable> attributes,
            String name) {
        String scaleName = editor.constant(name + "_scale", scale);
        String zeroPoint =
                editor.constant(name + "_zero_point", TensorData.ofLongs(ElementType.INT8, zeroPoints, scale.shape()));
        editor.add(operators.dequantize(ElementType.INT8), List.of(integers, scaleName, zeroPoint), output, attributes);
    }

    /** The same arithmetic as DequantizeLinear in single steps, which no runtime turns into an integer kernel. */
    private String kernelOfManyZeroPoints(QuantizedLayer layer, String name, long[] shape) {
        QuantizationGrid grid = layer.grid();
        long[] channelShape = new long[shape.length];
        Arrays.fill(channelShape, 1);
        channelShape[grid.channelAxis()] = grid.scale().length;
        float[] zeroPoints = new float[grid.zeroPoint().length];
        for (int c = 0; c < zeroPoints.length; c++) {
            zeroPoints[c] = grid.zeroPoint()[c] - HALF_OF_BYTE;
        }
        String integers = editor.constant(
                name + "_quantized", TensorData.ofBytes(ElementType.INT8, StoredKernel.fromLowest(layer), shape));
        String zeroPoint = editor.constant(name + "_zero_point", TensorData.ofFloats(zeroPoints, channelShape));
        String scale = editor.constant(name + "_scale", TensorData.ofFloats(grid.scale(), channelShape));
        String cast = editor.unique(name + "_cast");
        String centred = editor.unique(name + "_centred");
        String output = editor.unique(name + "_dequantized");
        editor.add("Cast", List.of(integers), cast, Map.of("to", (long) ElementType.FLOAT32.onnxCode()));
        editor.add("Sub", List.of(cast, zeroPoint), centred, Map.of());
        editor.add("Mul", List.of(centred, scale), output, Map.of());
        return output;
    }

    private String bias(QuantizedLayer layer, String name) {
        long[] shape = prepared.constants().get(name).shape();
        float[] scale = BiasGrid.scale(prepared, plan, layer.point(), layer.grid(), layer.bias().length);
        if (scale == null || !BiasGrid.fits(layer.bias(), scale)) {
            return editor.constant(name + "_trained", TensorData.ofFloats(layer.bias(), shape));
        }
        long[] integers = Arrays.stream(BiasGrid.round(layer.bias(), scale))
                .asLongStream()
                .toArray();
        String quantized = editor.constant(name + "_quantized", TensorData.ofLongs(ElementType.INT32, integers, shape));
        String scaleName = editor.constant(name + "_scale", TensorData.ofFloats(scale, scale.length));
        String output = editor.unique(name + "_dequantized");
        editor.add(
                operators.dequantize(ElementType.INT32),
                List.of(quantized, scaleName),
                output,
                Map.of("axis", channelAxis(shape, scale)));
        return output;
    }

    /** The axis of a bias's shape (one of them is not 1, or all are) that has one element per channel. */
    private static long channelAxis(long[] shape, float[] scale) {
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            if (shape[axis] == scale.length) {
                return axis;
            }
        }
        throw new IllegalStateException(
                "A bias of shape " + Arrays.toString(shape) + " has no axis of length " + scale.length + ".");
    }
}
