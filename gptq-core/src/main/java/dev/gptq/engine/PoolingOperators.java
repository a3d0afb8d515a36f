package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.Map;

/** Pooling over the spatial dimensions. */
final class PoolingOperators {
    private static final int SPATIAL_START = 2;

    private PoolingOperators() {}

    static void addTo(Map<String, Operator> table) {
        table.put("MaxPool", PoolingOperators::maxPool);
        table.put("AveragePool", PoolingOperators::averagePool);
        table.put("GlobalAveragePool", PoolingOperators::globalAveragePool);
        table.put("GlobalMaxPool", PoolingOperators::globalMaxPool);
    }

    private static NDArray maxPool(Call call) {
        Window window = window(call);
        if (window.poolable() && call.node().integer("ceil_mode", 0) == 0) {
            return maxPool(call.x(), window, window.begins());
        }
        NDArray padded = Window.pad(call.x(), window.begins(), coveringEnds(call, window), Float.NEGATIVE_INFINITY);
        return maxPool(padded, window, new long[window.rank()]);
    }

    private static NDArray averagePool(Call call) {
        Window window = window(call);
        boolean includePadding = call.node().integer("count_include_pad", 0) != 0;
        boolean padded = Arrays.stream(window.begins()).anyMatch(begin -> begin != 0);
        // DJL 0.36 hands count_include_pad = false on to nobody: its padding always counts.
        boolean countable = includePadding || !padded;
        if (countable && window.poolable() && call.node().integer("ceil_mode", 0) == 0) {
            return averagePool(call.x(), window, window.begins(), includePadding);
        }
        long[] none = new long[window.rank()];
        long[] ends = coveringEnds(call, window);
        NDArray sums = averagePool(Window.pad(call.x(), window.begins(), ends, 0), window, none, true);
        return sums.div(averagePool(divisorMask(call, window, ends, includePadding), window, none, true));
    }

    /** Ones where an element counts in the divisor of an average, zeros elsewhere, over the padded input. */
    private static NDArray divisorMask(Call call, Window window, long[] ends, boolean includePadding) {
        int rank = window.rank();
        long[] shape = Window.filled(rank + SPATIAL_START, 1);
        long[] before = new long[rank];
        long[] after = new long[rank];
        for (int i = 0; i < rank; i++) {
            long size = call.shape(0)[SPATIAL_START + i];
            long padding = includePadding ? window.begins()[i] + window.ends()[i] : 0;
            shape[SPATIAL_START + i] = size + padding;
            before[i] = includePadding ? 0 : window.begins()[i];
            after[i] = includePadding ? ends[i] - window.ends()[i] : ends[i];
        }
        NDArray ones = call.manager().ones(new Shape(shape));
        return Window.pad(ones, before, after, 0);
    }

    /** Padding after each dimension with which floor division yields the output size that ceil_mode asks for. */
    private static long[] coveringEnds(Call call, Window window) {
        long[] ends = window.ends().clone();
        if (call.node().integer("ceil_mode", 0) == 0) {
            return ends;
        }
        for (int i = 0; i < window.rank(); i++) {
            long size = call.shape(0)[SPATIAL_START + i];
            long stride = window.strides()[i];
            long room = size + window.begins()[i] + window.ends()[i] - window.kernel()[i];
            long output = (room + stride - 1) / stride + 1;
            if ((output - 1) * stride >= size + window.begins()[i]) {
                // A window that would start in the padding behind the input does not count.
                output--;
            }
            ends[i] = (output - 1) * stride + window.kernel()[i] - size - window.begins()[i];
        }
        return ends;
    }

    private static NDArray globalAveragePool(Call call) {
        int[] axes = spatialAxes(call);
        long count = Arrays.stream(axes).mapToLong(axis -> call.shape(0)[axis]).reduce(1, (a, b) -> a * b);
        return call.mean(call.x().sum(axes, true), count);
    }

    private static NDArray globalMaxPool(Call call) {
        long[] shape = call.shape(0);
        long[] pooled = Window.filled(shape.length, 1);
        pooled[0] = shape[0];
        pooled[1] = shape[1];
        NDArray flat = Call.reshape(call.x(), shape[0], shape[1], -1);
        return Call.reshape(flat.max(new int[] {2}, false), pooled);
    }

    private static int[] spatialAxes(Call call) {
        int[] axes = new int[call.shape(0).length - SPATIAL_START];
        Arrays.setAll(axes, i -> i + SPATIAL_START);
        return axes;
    }

    private static Window window(Call call) {
        long[] kernel = call.node().integers("kernel_shape", new long[0]);
        Window window = Window.of(call, kernel);
        if (Arrays.stream(window.dilations()).anyMatch(dilation -> dilation != 1)) {
            throw call.failure("dilated pooling is not supported");
        }
        return window;
    }

    private static NDArray maxPool(NDArray x, Window window, long[] pads) {
        return x.getNDArrayInternal()
                .maxPool(new Shape(window.kernel()), new Shape(window.strides()), new Shape(pads), false);
    }

    private static NDArray averagePool(NDArray x, Window window, long[] pads, boolean includePadding) {
        return x.getNDArrayInternal()
                .avgPool(
                        new Shape(window.kernel()),
                        new Shape(window.strides()),
                        new Shape(pads),
                        false,
                        includePadding);
    }
}
