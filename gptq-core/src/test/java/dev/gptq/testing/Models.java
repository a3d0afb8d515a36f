package dev.gptq.testing;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.engine.TensorHook;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Test models, random tensors, and one-line runs of a graph. */
public final class Models {
    private Models() {}

    /** The bytes of a model among the test resources, for instance "m1_bn". */
    public static byte[] bytes(String name) {
        try (InputStream stream = Models.class.getResourceAsStream("/models/" + name + ".onnx")) {
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Normally distributed values. */
    public static TensorData random(long seed, long... shape) {
        Random random = new Random(seed);
        float[] values = new float[(int) TensorData.elementCount(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return TensorData.ofFloats(values, shape);
    }

    /** Runs a graph once on the CPU, freeing intermediate arrays on the way. */
    public static Map<String, TensorData> run(Graph graph, Map<String, TensorData> inputs) {
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            Map<String, NDArray> feeds = Engines.toArrays(scope, inputs);
            Map<String, TensorData> outputs = new LinkedHashMap<>();
            executor.run(scope, feeds, TensorHook.NONE, Set.of())
                    .forEach((name, value) -> outputs.put(name, Engines.toTensor(value)));
            return outputs;
        }
    }
}
