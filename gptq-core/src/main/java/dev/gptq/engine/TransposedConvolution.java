package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import java.util.Arrays;

/**
 * ConvTranspose by means the engine can differentiate: DJL has no call for it. Zeros are put between the input's elements,
 * and the result is convolved with the flipped kernel whose channel axes are exchanged.
 */
final class TransposedConvolution {
    private static final int SPATIAL_START = 2;

    private TransposedConvolution() {}

    static NDArray apply(Call call) {
        long[] weightShape = call.shape(1);
        int rank = weightShape.length - SPATIAL_START;
        long[] kernel = Arrays.copyOfRange(weightShape, SPATIAL_START, weightShape.length);
        long[] strides = call.node().integers("strides", Window.filled(rank, 1));
        long[] dilations = call.node().integers("dilations", Window.filled(rank, 1));
        int groups = (int) call.node().integer("group", 1);
        long[][] pads = pads(call, kernel, strides, dilations);
        long[] begins = new long[rank];
        long[] ends = new long[rank];
        for (int i = 0; i < rank; i++) {
            long reach = dilations[i] * (kernel[i] - 1);
            begins[i] = reach - pads[0][i];
            // Zero insertion leaves stride - 1 zeros behind the last element, which do not belong there.
            ends[i] = reach - pads[1][i] - (strides[i] - 1);
        }
        NDArray x = Window.pad(insertZeros(call.x(), strides), begins, ends, 0);
        NDArray weight = flipAndExchange(call.input(1), weightShape, groups);
        return ConvolutionOperators.convolve(
                x, weight, call.optional(2), Window.filled(rank, 1), new long[rank], dilations, groups);
    }

    /** Padding before and after each dimension; what output_padding adds is taken from the latter. */
    private static long[][] pads(Call call, long[] kernel, long[] strides, long[] dilations) {
        int rank = kernel.length;
        long[] given = call.node().integers("pads", new long[2 * rank]);
        long[] outputPadding = call.node().integers("output_padding", new long[rank]);
        long[] outputShape = call.node().integers("output_shape", null);
        String automatic = call.node().text("auto_pad", "NOTSET");
        long[] begins = Arrays.copyOf(given, rank);
        long[] ends = Arrays.copyOfRange(given, rank, 2 * rank);
        for (int i = 0; i < rank; i++) {
            long size = call.shape(0)[SPATIAL_START + i];
            if (outputShape != null || automatic.startsWith("SAME")) {
                long output = outputShape != null ? outputShape[outputShape.length - rank + i] : size * strides[i];
                long full = strides[i] * (size - 1) + outputPadding[i] + (kernel[i] - 1) * dilations[i] + 1;
                // Negative where the output is to be larger than the input reaches: it ends in zeros then.
                long total = full - output;
                long lower = automatic.equals("SAME_UPPER") ? total / 2 : total - total / 2;
                begins[i] = Math.max(0, lower);
                ends[i] = total - begins[i];
            } else if (automatic.equals("VALID")) {
                begins[i] = 0;
                ends[i] = 0;
            }
            ends[i] -= outputPadding[i];
        }
        return new long[][] {begins, ends};
    }

    private static NDArray insertZeros(NDArray x, long[] strides) {
        if (Arrays.stream(strides).allMatch(stride -> stride == 1)) {
            return x;
        }
        long[] shape = x.getShape().getShape();
        int rank = strides.length;
        long[] spread = Arrays.copyOf(shape, SPATIAL_START + 2 * rank);
        long[] joined = shape.clone();
        long[] after = new long[2 * rank];
        for (int i = 0; i < rank; i++) {
            spread[SPATIAL_START + 2 * i] = shape[SPATIAL_START + i];
            spread[SPATIAL_START + 2 * i + 1] = 1;
            after[2 * i + 1] = strides[i] - 1;
            joined[SPATIAL_START + i] *= strides[i];
        }
        NDArray spaced = Window.pad(Call.reshape(x, spread), new long[2 * rank], after, 0);
        return Call.reshape(spaced, joined);
    }

    /** [in, out / groups, kernel...] to [out, in / groups, kernel reversed...]. */
    private static NDArray flipAndExchange(NDArray weight, long[] shape, int groups) {
        int rank = shape.length - SPATIAL_START;
        int[] spatialAxes = new int[rank];
        int[] permutation = new int[shape.length + 1];
        permutation[1] = 2;
        permutation[2] = 1;
        long[] grouped = new long[shape.length + 1];
        grouped[0] = groups;
        grouped[1] = shape[0] / groups;
        grouped[2] = shape[1];
        long[] exchanged = shape.clone();
        exchanged[0] = shape[1] * groups;
        exchanged[1] = shape[0] / groups;
        for (int i = 0; i < rank; i++) {
            spatialAxes[i] = SPATIAL_START + i;
            permutation[i + SPATIAL_START + 1] = i + SPATIAL_START + 1;
            grouped[i + SPATIAL_START + 1] = shape[i + SPATIAL_START];
        }
        NDArray flipped = weight.flip(spatialAxes);
        return Call.reshape(Call.reshape(flipped, grouped).transpose(permutation), exchanged);
    }
}
