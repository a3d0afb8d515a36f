package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.TensorData;
import java.util.Map;

/** Resize, axis by axis: nearest elements are picked, linear and cubic interpolation are products with a matrix. */
final class ResizeOperator {
    private ResizeOperator() {}

    static void addTo(Map<String, Operator> table) {
        table.put("Resize", ResizeOperator::resize);
    }

    private static NDArray resize(Call call) {
        long[] shape = call.shape(0);
        long[] axes = call.node().integers("axes", null);
        int count = axes == null ? shape.length : axes.length;
        boolean sized = call.has(3) && call.shape(3)[0] > 0;
        long[] sizes = sized ? call.longs(3) : null;
        float[] scales = sized ? null : floats(call, 2);
        NDArray result = call.x();
        for (int i = 0; i < count; i++) {
            int axis = axes == null ? i : call.normalizeAxis(axes[i], shape.length);
            int size = (int) shape[axis];
            int newSize = sized ? (int) sizes[i] : (int) Math.floor(size * scales[i]);
            float scale = sized ? (float) newSize / size : scales[i];
            if (newSize != size || scale != 1) {
                result = resize(call, result, axis, new ResizeAxis(call.node(), size, newSize, scale), newSize);
            }
        }
        return result == call.x() ? Call.alias(result) : result;
    }

    private static NDArray resize(Call call, NDArray x, int axis, ResizeAxis resizing, int newSize) {
        String mode = call.node().text("mode", "nearest");
        if (mode.equals("nearest")) {
            return IndexOperators.pick(call, x, axis, resizing.nearest());
        }
        long[] shape = x.getShape().getShape().clone();
        double[] weights = mode.equals("cubic") ? resizing.cubic() : resizing.linear();
        NDArray matrix =
                call.manager().create(weights, new Shape(newSize, shape[axis])).toType(x.getDataType(), false);
        long before = 1;
        for (int i = 0; i < axis; i++) {
            before *= shape[i];
        }
        NDArray product = matrix.matMul(Call.reshape(x, before, shape[axis], -1));
        shape[axis] = newSize;
        return Call.reshape(product, shape);
    }

    private static float[] floats(Call call, int index) {
        TensorData value = call.constants()[index];
        TensorData scales = value != null ? value : Engines.toTensor(call.input(index));
        if (scales.type() == ElementType.FLOAT32) {
            return scales.floats();
        }
        float[] narrowed = new float[scales.size()];
        for (int i = 0; i < narrowed.length; i++) {
            narrowed[i] = (float) scales.doubles()[i];
        }
        return narrowed;
    }
}
