package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.List;

/**
 * Fills channels up with zeros to whole blocks around a convolution, where the engine needs it. oneDNN 3.7 (PyTorch 2.7)
 * takes an AMD processor whose cache sizes a virtual machine hides (CPUID leaf 8000001D) for one without a cache, and then
 * reorders spatial kernels so that the zeros behind an incomplete block of channels overwrite elements of the kernel: outputs
 * are wrong for an incomplete block of inputs, gradients of the input for one of outputs, or of inputs when there are strides.
 * Zero channels add nothing and cost a copy.
 */
final class WholeBlocks {
    /** Float32 values in the widest vector register. */
    private static final long BLOCK = 16;
    /** So many inputs, those of the narrower register, are not put into blocks at all. */
    private static final long FEW = 8;
    /** Strided kernels may be put into blocks of up to four registers. */
    private static final long STRIDED_BLOCK = 64;

    private WholeBlocks() {}

    /** A convolution of channels that are all there. */
    @FunctionalInterface
    interface Convolution {
        NDArray apply(NDArray x, NDArray weight, NDArray bias);
    }

    /** Whether this machine's engine gets incomplete blocks wrong; tried once. */
    static boolean areNeeded() {
        return Trial.FAILED;
    }

    /** Whether the engine would meet an incomplete block. Kernels of one element and several groups take another way in it. */
    static boolean areMissing(NDArray x, NDArray weight, long[] strides, int groups) {
        return groups == 1
                && !x.getDevice().isGpu()
                && x.getDataType() == DataType.FLOAT32
                && weight.getShape().slice(2).size() > 1
                && moreOutputs(weight) + moreInputs(weight, strides) > 0;
    }

    static NDArray convolve(NDArray x, NDArray weight, NDArray bias, long[] strides, Convolution convolution) {
        long moreOutputs = moreOutputs(weight);
        long moreInputs = moreInputs(weight, strides);
        // Kernels live longer than what is computed with them.
        NDManager scope = x.getManager();
        NDArray wide = convolution.apply(
                widened(scope, x, 1, moreInputs),
                widened(scope, widened(scope, weight, 1, moreInputs), 0, moreOutputs),
                bias == null ? null : widened(scope, bias, 0, moreOutputs));
        return moreOutputs == 0
                ? wide
                : wide.get(new NDIndex(":, 0:{}", weight.getShape().get(0)));
    }

    private static long moreOutputs(NDArray weight) {
        return missing(weight.getShape().get(0), BLOCK);
    }

    private static long moreInputs(NDArray weight, long[] strides) {
        long inputs = weight.getShape().get(1);
        if (inputs <= FEW) {
            return 0;
        }
        boolean wide = inputs > 2 * BLOCK && Arrays.stream(strides).anyMatch(stride -> stride > 1);
        return missing(inputs, wide ? STRIDED_BLOCK : BLOCK);
    }

    private static long missing(long channels, long block) {
        return Math.floorMod(-channels, block);
    }

    private static NDArray widened(NDManager scope, NDArray array, int axis, long more) {
        if (more == 0) {
            return array;
        }
        long[] shape = array.getShape().getShape().clone();
        shape[axis] = more;
        try (NDArray zeros = scope.zeros(new Shape(shape), array.getDataType())) {
            NDArray wide = array.concat(zeros, axis);
            wide.attach(scope);
            return wide;
        }
    }

    /** Convolutions of ones, whose outputs and gradients are known. */
    private static final class Trial {
        static final boolean FAILED = !isRight(20, 16, 1) || !isRight(16, 20, 1) || !isRight(48, 16, 2);

        /** PyTorch computes a single small sample itself. */
        private static final int SAMPLES = 2;

        private static final int SIDE = 3;

        private static boolean isRight(int inputs, int outputs, int stride) {
            try (NDManager scope = NDManager.newBaseManager(Device.cpu(), EngineHolder.ENGINE_NAME);
                    Autograd.Recording recording = Autograd.record()) {
                NDArray x = Autograd.leaf(scope.ones(new Shape(SAMPLES, inputs, SIDE, SIDE)));
                NDArray weight = scope.ones(new Shape(outputs, inputs, SIDE, SIDE));
                NDArray y = ConvolutionOperators.nativeConvolve(
                        x, weight, null, new long[] {stride, stride}, new long[2], new long[] {1, 1}, 1);
                NDList gradients = Autograd.gradients(List.of(y), List.of(y.onesLike()), List.of(x), false);
                return isAll(y, inputs * SIDE * SIDE) && isAll(gradients.get(0), outputs);
            }
        }

        private static boolean isAll(NDArray array, float expected) {
            for (float value : array.toFloatArray()) {
                if (value != expected) {
                    return false;
                }
            }
            return true;
        }
    }
}
