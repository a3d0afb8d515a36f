package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.Map;

/** Convolution and transposed convolution over one or two spatial dimensions, and inference-time batch normalization. */
final class ConvolutionOperators {
    private static final float BATCH_NORM_EPSILON = 1e-5f;
    private static final float UNUSED_MOMENTUM = 0.9f;
    private static final int CHANNEL_AXIS = 1;

    private ConvolutionOperators() {}

    static void addTo(Map<String, Operator> table) {
        table.put("Conv", ConvolutionOperators::convolve);
        table.put("ConvTranspose", TransposedConvolution::apply);
        table.put("BatchNormalization", ConvolutionOperators::batchNormalize);
    }

    private static NDArray convolve(Call call) {
        Window window = Window.of(call, Arrays.copyOfRange(call.shape(1), 2, call.shape(1).length));
        NDArray x = call.x();
        if (!window.symmetric()) {
            x = window.pad(x, 0);
        }
        int groups = (int) call.node().integer("group", 1);
        return convolve(
                x,
                call.input(1),
                call.optional(2),
                window.strides(),
                window.symmetric() ? window.begins() : new long[window.rank()],
                window.dilations(),
                groups);
    }

    static NDArray convolve(
            NDArray x, NDArray weight, NDArray bias, long[] strides, long[] pads, long[] dilations, int groups) {
        return WholeBlocks.areNeeded() && WholeBlocks.areMissing(x, weight, strides, groups)
                ? WholeBlocks.convolve(
                        x,
                        weight,
                        bias,
                        strides,
                        (wideX, wideWeight, wideBias) ->
                                nativeConvolve(wideX, wideWeight, wideBias, strides, pads, dilations, 1))
                : nativeConvolve(x, weight, bias, strides, pads, dilations, groups);
    }

    static NDArray nativeConvolve(
            NDArray x, NDArray weight, NDArray bias, long[] strides, long[] pads, long[] dilations, int groups) {
        return x.getNDArrayInternal()
                .convolution(x, weight, bias, new Shape(strides), new Shape(pads), new Shape(dilations), groups)
                .get(0);
    }

    private static NDArray batchNormalize(Call call) {
        float epsilon = call.node().real("epsilon", BATCH_NORM_EPSILON);
        NDList result = call.functions()
                .batchNorm(
                        call.x(),
                        call.input(3),
                        call.input(4),
                        call.input(1),
                        call.input(2),
                        CHANNEL_AXIS,
                        UNUSED_MOMENTUM,
                        epsilon,
                        false);
        return result.get(0);
    }
}
