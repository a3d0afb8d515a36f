package dev.gptq.report;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.GptqException;
import dev.gptq.calibrate.IntegerBranches;
import dev.gptq.calibrate.LayerSettings;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.onnx.OnnxReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a model is and what quantization would make of it, without any data.
 *
 * @param operators nodes of each operator, as they are in the file
 * @param parameters elements of all constants of the prepared model
 * @param parameterBytes their memory
 * @param layers kernels in the order of the model
 * @param estimatedBytes of the quantized file; roughly, for names and scales differ
 * @param activationBytes of all tensors that one sample makes; null when an input's shape is open, so that it cannot be run
 */
public record ModelSummary(
        String name,
        int opset,
        long fileBytes,
        List<ValueInfo> inputs,
        List<ValueInfo> outputs,
        Map<String, Integer> operators,
        long parameters,
        long parameterBytes,
        List<Layer> layers,
        long estimatedBytes,
        Long activationBytes) {
    /** What a node takes in a file, about. */
    private static final int NODE_BYTES = 120;

    /** Dequantizers of kernel and bias, the pair behind the layer, and the names of their constants, about. */
    private static final int QUANTIZED_LAYER_BYTES = 900;

    /** Scales and zero points of kernel and bias. */
    private static final int CHANNEL_BYTES = Float.BYTES + 1 + Float.BYTES + Integer.BYTES;

    /** The float weights, the student's, their gradient, and one for what operators need meanwhile. */
    private static final int COPIES_OF_WEIGHTS = 4;

    /** The student's activations before and after their quantizers, kept for the gradient, and the teacher's. */
    private static final int COPIES_OF_ACTIVATIONS = 3;

    /** A kernel; {@code bits} 0: it stays in float. */
    public record Layer(String name, String operator, long[] shape, int bits) {}

    /**
     * Reads a model and prepares it as a run would.
     *
     * @throws GptqException BAD_INPUT for a file that is no model or overrides that match nothing, UNSUPPORTED_MODEL
     */
    public static ModelSummary of(byte[] file, String source, QuantizationConfig config) {
        return of(OnnxModel.of(file), source, config);
    }

    /** As the other one, for a model with constants beside its file. */
    public static ModelSummary of(OnnxModel file, String source, QuantizationConfig config) {
        Graph graph = OnnxReader.read(file, source);
        Map<String, Integer> operators = new TreeMap<>();
        graph.nodes().forEach(node -> operators.merge(node.opType(), 1, Integer::sum));
        Graph prepared = IntegerBranches.apply(GraphPreparation.prepare(graph, config.preparation()), config);
        LayerSettings settings = LayerSettings.of(prepared, config);
        return new ModelSummary(
                graph.name(),
                graph.opset(),
                file.bytes(),
                graph.inputs(),
                graph.outputs(),
                operators,
                prepared.constants().values().stream()
                        .mapToLong(TensorData::size)
                        .sum(),
                parameterBytes(prepared),
                layers(prepared, config, settings),
                estimate(prepared, config),
                activationBytes(prepared));
    }

    /** Memory outside the heap that a task needs to train with so many samples per lane; null when it cannot be told. */
    public Long taskBytes(int samples) {
        return activationBytes == null ? null : taskBytes(parameterBytes, activationBytes, samples);
    }

    static long taskBytes(long parameterBytes, long activationBytes, int samples) {
        return COPIES_OF_WEIGHTS * parameterBytes + (long) COPIES_OF_ACTIVATIONS * samples * activationBytes;
    }

    /** Memory of all constants of a prepared model. */
    public static long parameterBytes(Graph prepared) {
        return prepared.constants().values().stream()
                .mapToLong(ModelSummary::bytes)
                .sum();
    }

    private static List<Layer> layers(Graph prepared, QuantizationConfig config, LayerSettings settings) {
        Map<String, Node> nodes = new HashMap<>();
        prepared.nodes().forEach(node -> nodes.put(node.name(), node));
        List<Layer> layers = new ArrayList<>();
        for (ComparePoint point : ComparePoints.of(prepared)) {
            layers.add(new Layer(
                    point.name(),
                    nodes.get(point.name()).opType(),
                    prepared.constants().get(point.weight()).shape(),
                    settings.points().contains(point) ? settings.weights(point).bits() : 0));
        }
        return layers;
    }

    /** Quantized kernels take a byte per weight, whatever their bits; everything else stays as long as it is. */
    private static long estimate(Graph prepared, QuantizationConfig config) {
        long bytes = (long) prepared.nodes().size() * NODE_BYTES;
        Set<String> kernels = new HashSet<>();
        for (ComparePoint point : ComparePoints.of(prepared)) {
            if (!config.skips(point.name()) && kernels.add(point.weight())) {
                TensorData kernel = prepared.constants().get(point.weight());
                bytes += kernel.size() + kernel.shape()[point.channelAxis()] * CHANNEL_BYTES;
                bytes += QUANTIZED_LAYER_BYTES;
            }
        }
        for (Map.Entry<String, TensorData> constant : prepared.constants().entrySet()) {
            bytes += kernels.contains(constant.getKey()) ? 0 : bytes(constant.getValue());
        }
        return bytes;
    }

    private static long bytes(TensorData tensor) {
        return (long) tensor.size() * bytes(tensor.type());
    }

    private static int bytes(ElementType type) {
        return switch (type) {
            case FLOAT32, INT32, UINT32 -> Integer.BYTES;
            case FLOAT64, INT64, UINT64 -> Long.BYTES;
            case INT16, UINT16 -> Short.BYTES;
            case INT4, INT8, UINT8, BOOL -> 1;
        };
    }

    private static Long activationBytes(Graph prepared) {
        for (ValueInfo input : prepared.inputs()) {
            long[] sample = input.shape().length == 0
                    ? input.shape()
                    : Arrays.copyOfRange(input.shape(), 1, input.shape().length);
            if (Arrays.stream(sample).anyMatch(dimension -> dimension < 1)) {
                return null;
            }
        }
        long[] bytes = new long[1];
        try (GraphExecutor executor = new GraphExecutor(prepared, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            Map<String, NDArray> feeds = new HashMap<>();
            for (ValueInfo input : prepared.inputs()) {
                feeds.put(input.name(), Engines.toArray(scope, zeros(input)));
            }
            executor.run(
                    scope,
                    feeds,
                    (tensor, value) -> {
                        bytes[0] += value.size() * value.getDataType().getNumOfBytes();
                        return value;
                    },
                    Set.of());
        }
        return bytes[0];
    }

    private static TensorData zeros(ValueInfo input) {
        long[] shape = input.shape().clone();
        if (shape.length > 0) {
            shape[0] = 1;
        }
        int size = Math.toIntExact(TensorData.elementCount(shape));
        return switch (input.type()) {
            case FLOAT32 -> TensorData.ofFloats(new float[size], shape);
            case FLOAT64 -> TensorData.ofDoubles(new double[size], shape);
            default -> TensorData.ofLongs(input.type(), new long[size], shape);
        };
    }
}
