package dev.gptq.jobs.bench;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.onnx.OnnxWriter;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A CNN of about 400,000 parameters for images of 28 x 28, with random weights: what scaling is measured on. */
final class WideModel {
    private static final int[] CHANNELS = {1, 32, 64, 64, 128, 208};
    private static final int KERNEL = 3;
    private static final int CLASSES = 10;

    private WideModel() {}

    static Path write(Path file) throws IOException {
        return Files.write(file, OnnxWriter.write(graph()));
    }

    static Graph graph() {
        Random random = new Random(0);
        Map<String, TensorData> constants = new LinkedHashMap<>();
        List<Node> nodes = new ArrayList<>();
        String from = BenchModel.INPUT;
        for (int layer = 1; layer < CHANNELS.length; layer++) {
            String name = "conv" + layer;
            constants.put(name + ".w", weights(random, CHANNELS[layer], CHANNELS[layer - 1], KERNEL, KERNEL));
            constants.put(name + ".b", weights(random, CHANNELS[layer]));
            long stride = layer % 2 == 0 ? 2 : 1;
            Map<String, Serializable> window =
                    Map.of("pads", new long[] {1, 1, 1, 1}, "strides", new long[] {stride, stride});
            nodes.add(new Node(name, "Conv", List.of(from, name + ".w", name + ".b"), List.of(name), window));
            nodes.add(new Node("relu" + layer, "Relu", List.of(name), List.of("relu" + layer), Map.of()));
            from = "relu" + layer;
        }
        constants.put("fc.w", weights(random, CLASSES, CHANNELS[CHANNELS.length - 1]));
        constants.put("fc.b", weights(random, CLASSES));
        nodes.add(new Node("pool", "GlobalAveragePool", List.of(from), List.of("pool"), Map.of()));
        nodes.add(new Node("flat", "Flatten", List.of("pool"), List.of("flat"), Map.of()));
        nodes.add(new Node("fc", "Gemm", List.of("flat", "fc.w", "fc.b"), List.of("logits"), Map.of("transB", 1L)));
        return new Graph(
                "wide",
                13,
                List.of(new ValueInfo(BenchModel.INPUT, ElementType.FLOAT32, new long[] {-1, 1, 28, 28})),
                List.of(new ValueInfo("logits", ElementType.FLOAT32, new long[] {-1, CLASSES})),
                constants,
                nodes);
    }

    /** Normally distributed so that activations keep their size from layer to layer. */
    private static TensorData weights(Random random, long... shape) {
        float[] values = new float[Math.toIntExact(TensorData.elementCount(shape))];
        double deviation = Math.sqrt(2.0 * shape[0] / values.length);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return TensorData.ofFloats(values, shape);
    }
}
