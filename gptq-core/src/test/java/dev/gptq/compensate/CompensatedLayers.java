package dev.gptq.compensate;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.engine.TensorHook;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Models of one layer "y" with kernel "w" on an input "x" whose neighbouring values are alike. */
enum CompensatedLayers {
    MATRIX_PRODUCT(new long[] {16, 3, 12}, new long[] {12, 5}, "MatMul"),
    GEMM(new long[] {40, 12}, new long[] {12, 5}, "Gemm"),
    TRANSPOSED_GEMM(new long[] {40, 12}, new long[] {5, 12}, "Gemm", "transB", 1),
    CONVOLUTION(
            new long[] {4, 3, 9, 8}, new long[] {5, 3, 3, 2}, "Conv", "strides", new long[] {2, 1}, "pads", new long[] {
                1, 0, 0, 1
            }),
    DILATED(new long[] {4, 3, 9, 8}, new long[] {5, 3, 3, 3}, "Conv", "dilations", new long[] {2, 2}),
    PADDED_AS_NEEDED(new long[] {4, 2, 9, 8}, new long[] {4, 2, 3, 3}, "Conv", "auto_pad", "SAME_UPPER"),
    GROUPED(new long[] {4, 6, 7, 7}, new long[] {4, 3, 3, 3}, "Conv", "group", 2),
    DEPTHWISE(new long[] {4, 5, 7, 7}, new long[] {5, 1, 3, 3}, "Conv", "group", 5),
    ONE_DIMENSION(new long[] {6, 3, 20}, new long[] {4, 3, 5}, "Conv"),
    THREE_DIMENSIONS(new long[] {3, 2, 5, 5, 5}, new long[] {3, 2, 2, 2, 2}, "Conv");

    static final int BITS = 3;

    private final long[] inputShape;
    final Graph graph;

    CompensatedLayers(long[] inputShape, long[] kernelShape, String operator, Object... attributes) {
        this.inputShape = inputShape;
        long[] open = inputShape.clone();
        open[0] = -1;
        this.graph = new GraphBuilder(13)
                .input("x", open)
                .weight("w", kernelShape)
                .node(operator, "x w", "y", attributes)
                .output("y", ElementType.FLOAT32)
                .build();
    }

    ComparePoint point() {
        return ComparePoints.of(graph).get(0);
    }

    /** A few bits per channel. */
    QuantizationPlan plan() {
        long[] shape = kernel().shape();
        double[] thresholds = new double[(int) shape[point().channelAxis()]];
        Arrays.fill(thresholds, threshold());
        return new QuantizationPlan(
                List.of(new WeightQuantizer(
                        point(),
                        QuantizationMethod.SYMMETRIC,
                        BITS,
                        point().channelAxis(),
                        thresholds,
                        null,
                        null,
                        null)),
                List.of());
    }

    /** Keeps every weight on the grid: what is cut off cannot be made up for. */
    double threshold() {
        double largest = 0;
        for (float weight : kernel().floats()) {
            largest = Math.max(largest, Math.abs(weight));
        }
        return largest;
    }

    TensorData kernel() {
        return graph.constants().get("w");
    }

    QuantizationGrid grid() {
        return plan().weights().get(0).grid();
    }

    TensorData rounded(TensorData kernel) {
        long[] shape = kernel.shape();
        return TensorData.ofFloats(grid().dequantize(grid().quantize(kernel.floats(), shape), shape), shape);
    }

    SampleBatch samples(int seed) {
        Random random = new Random(seed);
        float[] values = new float[(int) TensorData.elementCount(inputShape)];
        float walk = 0;
        for (int i = 0; i < values.length; i++) {
            walk = 0.9f * walk + (float) random.nextGaussian();
            values[i] = walk;
        }
        int size = (int) inputShape[0];
        return new SampleBatch(0, size, Map.of("x", TensorData.ofFloats(values, inputShape)), null);
    }

    KernelGroup group() {
        return KernelGroup.of(graph, plan().points()).get(0);
    }

    InputMoments moments(SampleBatch samples) {
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                InputMomentsCollector collector = new InputMomentsCollector(executor, plan(), List.of(group()))) {
            return collector.collect(samples);
        }
    }

    /** Sum of squares of each output channel with another kernel. */
    double[] energy(SampleBatch samples, float[] kernel) {
        long[] shape = kernel().shape();
        int channels = (int) shape[point().channelAxis()];
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            NDArray output = executor.run(
                            scope,
                            Map.of(
                                    "x", Engines.toArray(scope, samples.inputs().get("x")),
                                    "w", Engines.toArray(scope, TensorData.ofFloats(kernel, shape))),
                            TensorHook.NONE)
                    .get("y");
            long[] outputShape = output.getShape().getShape();
            int axis = graph.nodes().get(0).is("Conv") ? 1 : outputShape.length - 1;
            int inner = 1;
            for (int d = axis + 1; d < outputShape.length; d++) {
                inner *= (int) outputShape[d];
            }
            double[] energy = new double[channels];
            float[] values = output.toFloatArray();
            for (int i = 0; i < values.length; i++) {
                energy[i / inner % channels] += (double) values[i] * values[i];
            }
            return energy;
        }
    }
}
