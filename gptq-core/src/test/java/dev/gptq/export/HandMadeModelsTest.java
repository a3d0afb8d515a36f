package dev.gptq.export;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.train.QuantizedStudent;
import java.io.Serializable;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** One layer each: ONNX Runtime's output of the exported file is the student's. */
class HandMadeModelsTest {
    private static final int SAMPLES = 4;
    private static final double RANGE = 2;

    private final Random random = new Random(3);

    @Test
    void aGroupedConvolutionBeforeAFunctionThatIsNotFused() throws Exception {
        Graph graph = graph(
                new long[] {SAMPLES, 4, 6, 6},
                new long[] {6, 2, 3, 3},
                new long[] {6},
                node("Conv", List.of("x", "w", "b"), "c", Map.of("group", 2L, "pads", new long[] {1, 1, 1, 1})),
                node("LeakyRelu", List.of("c"), "y", Map.of("alpha", 0.1f)));

        assertSame(graph, kernel(QuantizationMethod.SYMMETRIC, 8, true), 8);
    }

    @Test
    void aTransposedConvolution() throws Exception {
        Graph graph = graph(
                new long[] {SAMPLES, 3, 5, 5},
                new long[] {3, 4, 2, 2},
                new long[] {4},
                node("ConvTranspose", List.of("x", "w", "b"), "y", Map.of("strides", new long[] {2, 2})));

        assertSame(graph, kernel(QuantizationMethod.SYMMETRIC, 4, true), 8);
    }

    @Test
    void aLinearLayerWhoseKernelIsNotTransposed() throws Exception {
        Graph graph = graph(
                new long[] {SAMPLES, 12},
                new long[] {12, 5},
                new long[] {5},
                node("Gemm", List.of("x", "w", "b"), "y", Map.of("transB", 0L)));

        assertSame(graph, kernel(QuantizationMethod.SYMMETRIC, 3, true), 8);
        assertSame(graph, kernel(QuantizationMethod.UNIFORM, 8, true), 8);
    }

    @Test
    void aMatrixProductWithItsBiasInAnAdd() throws Exception {
        Graph graph = graph(
                new long[] {SAMPLES, 7, 12},
                new long[] {12, 5},
                new long[] {5},
                node("MatMul", List.of("x", "w"), "m", Map.of()),
                node("Add", List.of("m", "b"), "y", Map.of()));

        assertSame(graph, kernel(QuantizationMethod.POWER_OF_TWO, 4, true), 8);
        assertSame(graph, kernel(QuantizationMethod.UNIFORM, 4, false), 8);
    }

    @Test
    void uniformKernelsOfAnyWidth() throws Exception {
        Graph graph = graph(
                new long[] {SAMPLES, 4, 6, 6},
                new long[] {6, 4, 3, 3},
                new long[] {6},
                node("Conv", List.of("x", "w", "b"), "c", Map.of()),
                node("Relu", List.of("c"), "y", Map.of()));

        for (int bits = 2; bits <= 8; bits++) {
            assertSame(graph, kernel(QuantizationMethod.UNIFORM, bits, true), 8);
        }
        assertSame(graph, kernel(QuantizationMethod.UNIFORM, 8, false), 8);
    }

    @Test
    void aReductionAtAnOpsetWhereItsAxesAreAnInput() throws Exception {
        Graph graph = graph(
                new long[] {SAMPLES, 4, 6, 6},
                new long[] {6, 4, 3, 3},
                new long[] {6},
                node("Conv", List.of("x", "w", "b"), "c", Map.of()),
                node("ReduceMean", List.of("c"), "y", Map.of("axes", new long[] {2, 3}, "keepdims", 1L)));

        for (int opset : List.of(13, 17, 18, 21)) {
            assertSame(graph, kernel(QuantizationMethod.SYMMETRIC, 8, true), 8, opset);
        }
    }

    @Test
    void activationsOfFourBits() throws Exception {
        Graph graph = graph(
                new long[] {SAMPLES, 4, 6, 6},
                new long[] {6, 4, 3, 3},
                new long[] {6},
                node("Conv", List.of("x", "w", "b"), "c", Map.of()),
                node("Relu", List.of("c"), "y", Map.of()));

        assertSame(graph, kernel(QuantizationMethod.SYMMETRIC, 8, true), 4);
    }

    private interface Kernel {
        WeightQuantizer of(ComparePoint point, TensorData weight);
    }

    private static Kernel kernel(QuantizationMethod method, int bits, boolean perChannel) {
        return (point, weight) -> {
            int channels = perChannel ? (int) weight.shape()[point.channelAxis()] : 1;
            double[] largest = new double[channels];
            double[] smallest = new double[channels];
            for (int c = 0; c < channels; c++) {
                largest[c] = 0.25 + 0.5 * c / channels;
                smallest[c] = -0.75 + 0.5 * c / channels;
            }
            boolean uniform = method == QuantizationMethod.UNIFORM;
            return new WeightQuantizer(
                    point,
                    method,
                    bits,
                    perChannel ? point.channelAxis() : -1,
                    uniform ? null : largest,
                    uniform ? smallest : null,
                    uniform ? largest : null,
                    null);
        };
    }

    private void assertSame(Graph graph, Kernel kernel, int activationBits) throws Exception {
        assertSame(graph, kernel, activationBits, graph.opset());
    }

    private void assertSame(Graph graph, Kernel kernel, int activationBits, int opset) throws Exception {
        ComparePoint point = ComparePoints.of(graph).get(0);
        TensorData weight = graph.constants().get(point.weight());
        WeightQuantizer quantizer = kernel.of(point, weight);
        QuantizationGrid grid = quantizer.grid();
        QuantizedLayer layer = new QuantizedLayer(
                point,
                grid,
                grid.quantize(weight.floats(), weight.shape()),
                graph.constants().get(point.bias()).floats());
        QuantizationPlan plan = new QuantizationPlan(
                List.of(quantizer), List.of(activation("x", activationBits), activation("y", activationBits)));
        TensorData input = random(graph.inputs().get(0).shape());

        float[] student = student(graph, plan, layer, input);
        float[] runtime = runtime(QdqExporter.export(graph, plan, List.of(layer), opset), input);

        double step = RANGE / ((1 << activationBits) - 1);
        int offByOne = 0;
        for (int i = 0; i < student.length; i++) {
            assertThat(Math.abs(student[i] - runtime[i])).isLessThanOrEqualTo((float) (step * 1.001));
            offByOne += student[i] == runtime[i] ? 0 : 1;
        }
        assertThat(offByOne).isLessThanOrEqualTo(student.length / 50);
        assertThat(student).doesNotContain(Float.NaN);
        assertThat(distinct(student)).isGreaterThan(4);
    }

    private static ActivationQuantizer activation(String tensor, int bits) {
        return new ActivationQuantizer(tensor, QuantizationMethod.UNIFORM, bits, true, 0, -1, 1);
    }

    private static float[] student(Graph graph, QuantizationPlan plan, QuantizedLayer layer, TensorData input) {
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            return new QuantizedStudent(executor, plan, List.of(layer))
                    .run(scope, new SampleBatch(0, SAMPLES, Map.of("x", input), null))
                    .outputs()
                    .get("y")
                    .toFloatArray();
        }
    }

    private static float[] runtime(byte[] model, TensorData input) throws Exception {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
                OrtSession session = environment.createSession(model, options);
                OnnxTensor tensor =
                        OnnxTensor.createTensor(environment, FloatBuffer.wrap(input.floats()), input.shape());
                OrtSession.Result result = session.run(Map.of("x", tensor))) {
            FloatBuffer buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
            float[] values = new float[buffer.remaining()];
            buffer.get(values);
            return values;
        }
    }

    private static long distinct(float[] values) {
        List<Float> list = new ArrayList<>();
        for (float value : values) {
            list.add(value);
        }
        return list.stream().distinct().count();
    }

    private Graph graph(long[] input, long[] weight, long[] bias, Node... nodes) {
        Map<String, TensorData> constants = new LinkedHashMap<>();
        constants.put("w", random(weight));
        constants.put("b", random(bias));
        long[] unknown = new long[input.length];
        Arrays.fill(unknown, -1);
        return new Graph(
                "layer",
                13,
                List.of(new ValueInfo("x", ElementType.FLOAT32, input)),
                List.of(new ValueInfo("y", ElementType.FLOAT32, unknown)),
                constants,
                List.of(nodes));
    }

    private static Node node(String type, List<String> inputs, String output, Map<String, Serializable> attributes) {
        return new Node(type, type, inputs, List.of(output), attributes);
    }

    private TensorData random(long[] shape) {
        float[] values = new float[(int) TensorData.elementCount(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (random.nextFloat() - 0.5f) * 0.8f;
        }
        return TensorData.ofFloats(values, shape);
    }
}
