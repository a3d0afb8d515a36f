package dev.gptq.engine;

import dev.gptq.GptqException;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.Arrays;
import java.util.function.IntToLongFunction;

/**
 * Looks at indices that ONNX Runtime 1.23 uses as they are: one outside of the tensor that it counts in reads or writes memory
 * of somebody else, which ends the process, where other operators fail with a message.
 */
final class RuntimeIndices {
    private static final int BATCH_INDICES = 2;
    private static final int OUTPUT_SHAPE = 2;
    /** Samples and channels, which pooling leaves alone. */
    private static final int OUTER = 2;

    private RuntimeIndices() {}

    /**
     * Does nothing for other nodes than RoiAlign and MaxUnpool.
     *
     * @param inputs values of the node's inputs; null for absent ones
     * @throws GptqException BAD_INPUT for an index that is out of range
     */
    static void check(Node node, TensorData[] inputs) {
        switch (node.opType()) {
            case "RoiAlign" -> require(node, inputs[BATCH_INDICES], inputs[0].shape()[0], "samples of its first input");
            case "MaxUnpool" -> require(node, inputs[1], unpooled(node, inputs), "elements of its output");
            default -> {
                // ONNX Runtime looks at the others itself.
            }
        }
    }

    private static void require(Node node, TensorData indices, long count, String what) {
        for (long index : indices.longs()) {
            if (index < 0 || index >= count) {
                throw GptqException.badInput(
                        "Cannot run node '%s' (%s): its input '%s' holds the index %d, and there are %d %s. Correct what"
                                + " computes it, or cut the node off the model.",
                        node.name(), node.opType(), node.inputs().get(indexInput(node)), index, count, what);
            }
        }
    }

    private static int indexInput(Node node) {
        return node.is("RoiAlign") ? BATCH_INDICES : 1;
    }

    /** Elements of MaxUnpool's output: of the shape given, or by dimension (n - 1) stride + kernel - pads. */
    private static long unpooled(Node node, TensorData[] inputs) {
        if (inputs.length > OUTPUT_SHAPE && inputs[OUTPUT_SHAPE] != null) {
            return TensorData.elementCount(inputs[OUTPUT_SHAPE].longs());
        }
        long[] shape = inputs[0].shape();
        int spatial = Math.max(shape.length - OUTER, 0);
        IntToLongFunction kernel = of(node.integers("kernel_shape", new long[spatial]));
        IntToLongFunction stride = of(node.integers("strides", ones(spatial)));
        IntToLongFunction pad = of(node.integers("pads", new long[2 * spatial]));
        for (int i = 0; i < spatial; i++) {
            shape[OUTER + i] = (shape[OUTER + i] - 1) * stride.applyAsLong(i)
                    + kernel.applyAsLong(i)
                    - pad.applyAsLong(i)
                    - pad.applyAsLong(spatial + i);
        }
        return TensorData.elementCount(shape);
    }

    /** Zero where the model gives too few: ONNX Runtime refuses such a node when it is loaded. */
    private static IntToLongFunction of(long[] values) {
        return i -> i < values.length ? values[i] : 0;
    }

    private static long[] ones(int count) {
        long[] ones = new long[count];
        Arrays.fill(ones, 1);
        return ones;
    }
}
