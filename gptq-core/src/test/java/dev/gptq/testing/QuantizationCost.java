package dev.gptq.testing;

import ai.djl.Device;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.StatisticsCollector;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.export.QdqExporter;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.onnx.OnnxWriter;
import java.util.Map;

/** What plain post-training quantization costs a small model with input "x" and output "out". */
public final class QuantizationCost {
    private static final int SAMPLES = 32;

    private QuantizationCost() {}

    /**
     * Prepares, calibrates, rounds to nearest and exports the graph, and returns the mean squared error of the exported
     * model in ONNX Runtime against the original, relative to the original's mean square, on the calibration data.
     */
    public static double of(Graph graph, QuantizationConfig config) {
        long[] shape = graph.inputs().get(0).shape().clone();
        shape[0] = SAMPLES;
        Map<String, TensorData> input = Map.of("x", Models.random(5, shape));
        Graph prepared = GraphPreparation.prepare(graph, config.preparation());
        try (GraphExecutor executor = new GraphExecutor(prepared, Device.cpu())) {
            QuantizationPlan plan = PlanBuilder.build(
                    prepared,
                    new StatisticsCollector(executor).collect(new SampleBatch(0, SAMPLES, input, null)),
                    config);
            byte[] file =
                    QdqExporter.export(prepared, plan, PlanBuilder.roundToNearest(prepared, plan), config.opset());
            return error(
                    OnnxRuntime.run(file, input).get("out"),
                    OnnxRuntime.run(OnnxWriter.write(graph), input).get("out"));
        }
    }

    private static double error(TensorData actual, TensorData expected) {
        double error = 0;
        double power = 0;
        for (int i = 0; i < expected.size(); i++) {
            double difference = actual.floats()[i] - expected.floats()[i];
            error += difference * difference;
            power += (double) expected.floats()[i] * expected.floats()[i];
        }
        return error / power;
    }
}
