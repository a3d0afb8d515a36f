package dev.gptq.compensate;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.engine.TensorHook;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.io.Serializable;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Second moments of the rows that a layer makes of its input. The rows of a matrix product lie along the last axis; those of
 * a convolution are patches, found by convolving each channel with one-hot kernels under the layer's own strides, dilations
 * and padding.
 */
final class InputRows implements AutoCloseable {
    private static final String INPUT = "x";
    private static final String ONE_HOT = "one_hot";
    private static final String PATCHES = "patches";

    private final int groups;
    private final int depth;
    /** Makes patches; null for a matrix product. */
    private final GraphExecutor patches;

    private InputRows(int groups, int depth, GraphExecutor patches) {
        this.groups = groups;
        this.depth = depth;
        this.patches = patches;
    }

    /** The rows that {@code kernel} is multiplied with. */
    static InputRows of(KernelMatrix kernel, Graph graph, Device device) {
        Node node = kernel.node();
        if (!node.is("Conv")) {
            return new InputRows(1, kernel.depth(), null);
        }
        long[] shape = graph.constants().get(kernel.name()).shape();
        return new InputRows(
                kernel.groups(),
                kernel.depth(),
                new GraphExecutor(patchGraph(node, shape, kernel.groups(), graph.opset()), device));
    }

    private static Graph patchGraph(Node node, long[] kernelShape, int groups, int opset) {
        int channels = (int) kernelShape[1] * groups;
        long[] shape = kernelShape.clone();
        shape[1] = 1;
        shape[0] = 1;
        int taps = (int) Arrays.stream(shape).reduce(1, Math::multiplyExact);
        shape[0] = (long) channels * taps;
        float[] oneHot = new float[Math.multiplyExact((int) shape[0], taps)];
        for (int row = 0; row < shape[0]; row++) {
            oneHot[row * taps + row % taps] = 1;
        }
        Map<String, Serializable> attributes = new HashMap<>(node.attributes());
        attributes.put("group", (long) channels);
        long[] inputShape = new long[shape.length];
        Arrays.fill(inputShape, -1);
        inputShape[1] = channels;
        return new Graph(
                "patches of " + node.name(),
                opset,
                List.of(new ValueInfo(INPUT, ElementType.FLOAT32, inputShape)),
                List.of(new ValueInfo(PATCHES, ElementType.FLOAT32, null)),
                Map.of(ONE_HOT, TensorData.ofFloats(oneHot, shape)),
                List.of(new Node(node.name(), "Conv", List.of(INPUT, ONE_HOT), List.of(PATCHES), attributes)));
    }

    /** Sum of x x^T over the rows x of {@code value}, [group][depth][depth]. */
    float[] moments(NDArray value) {
        try (NDManager scope = Engines.newScope(value.getDevice())) {
            return (patches == null ? ofProduct(scope, value) : ofPatches(scope, value)).toFloatArray();
        }
    }

    private NDArray ofProduct(NDManager scope, NDArray value) {
        NDArray rows = value.reshape(-1, depth);
        rows.attach(scope);
        return rows.transpose().matMul(rows);
    }

    /** One sample at a time: patches are as many times larger than the input as the kernel has taps. */
    private NDArray ofPatches(NDManager scope, NDArray value) {
        NDArray sum = scope.zeros(new Shape(groups, depth, depth));
        for (long sample = 0; sample < value.getShape().get(0); sample++) {
            try (NDManager inner = scope.newSubManager()) {
                NDArray one = value.get(new NDIndex("{}:{}", sample, sample + 1));
                one.attach(inner);
                NDArray columns = patches.run(inner, Map.of(INPUT, one), TensorHook.NONE)
                        .get(PATCHES)
                        .reshape(groups, depth, -1);
                NDArray product = columns.matMul(columns.transpose(0, 2, 1));
                product.attach(inner);
                sum.addi(product);
            }
        }
        return sum;
    }

    @Override
    public void close() {
        if (patches != null) {
            patches.close();
        }
    }
}
