package dev.gptq.graph.pass;

import dev.gptq.config.PreparationConfig;
import dev.gptq.config.PreparationConfigBuilder;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.Closeness;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.OnnxRuntime;
import dev.gptq.testing.QuantizationCost;
import java.util.List;
import java.util.Map;

/** Prepares small graphs with one input "x" and one output "out", and checks that they still compute the same. */
final class Preparing {
    private static final double TOLERANCE = 1e-4;
    private static final int SAMPLES = 3;

    private Preparing() {}

    /** A configuration in which nothing is switched on. */
    static PreparationConfigBuilder nothing() {
        return new PreparationConfig(false, false, false, false, false, false, 0.05, false, false, false, false, false)
                .toBuilder();
    }

    /** The prepared graph; fails unless engine and ONNX Runtime compute with it what ONNX Runtime does with the original. */
    static Graph sameFunction(Graph graph, PreparationConfig config) {
        long[] shape = graph.inputs().get(0).shape().clone();
        shape[0] = SAMPLES;
        Map<String, TensorData> input = Map.of("x", Models.random(11, shape));
        TensorData expected = OnnxRuntime.run(OnnxWriter.write(graph), input).get("out");
        Graph prepared = GraphPreparation.prepare(graph, config);

        Closeness.assertClose(Models.run(prepared, input).get("out"), expected, TOLERANCE);
        Closeness.assertClose(OnnxRuntime.run(OnnxWriter.write(prepared), input).get("out"), expected, TOLERANCE);
        return prepared;
    }

    /** The error that quantization costs with {@code on}, relative to the error with nothing switched on. */
    static double errorRatio(Graph graph, QuantizationConfig config, PreparationConfig on) {
        return QuantizationCost.of(graph, config.withPreparation(on))
                / QuantizationCost.of(graph, config.withPreparation(nothing().build()));
    }

    static List<String> types(Graph graph) {
        return graph.nodes().stream().map(Node::opType).toList();
    }

    /** A builder with the constants g, b, m and v of a BatchNormalization. */
    static GraphBuilder norm(int channels) {
        float[] variance = new float[channels];
        for (int i = 0; i < channels; i++) {
            variance[i] = 0.3f + i;
        }
        return new GraphBuilder(13)
                .weight("g", channels)
                .weight("b", channels)
                .weight("m", channels)
                .constant("v", TensorData.ofFloats(variance, channels));
    }
}
