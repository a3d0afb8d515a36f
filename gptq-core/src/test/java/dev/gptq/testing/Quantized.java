package dev.gptq.testing;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.ActivationSmoothing;
import dev.gptq.calibrate.InputScales;
import dev.gptq.calibrate.InputScalesCollector;
import dev.gptq.calibrate.IntegerBranches;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.calibrate.StatisticsCollector;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.export.QdqExporter;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.train.QuantizedStudent;
import java.util.List;
import java.util.Map;

/**
 * A small graph with the output "out", quantized by rounding to nearest and calibrated on the batch it is run on.
 *
 * @param file the exported model
 * @param student what the student makes of the batch
 * @param runtime what ONNX Runtime makes of it with the exported model
 * @param expected what ONNX Runtime makes of it with the float model
 */
public record Quantized(
        Graph prepared,
        QuantizationPlan plan,
        List<QuantizedLayer> layers,
        byte[] file,
        TensorData student,
        TensorData runtime,
        TensorData expected) {
    private static final String OUTPUT = "out";

    public static Quantized of(Graph graph, QuantizationConfig config, Map<String, TensorData> batch) {
        int samples = (int) batch.values().iterator().next().shape()[0];
        SampleBatch block = new SampleBatch(0, samples, batch, null);
        Graph prepared = smoothed(
                IntegerBranches.apply(GraphPreparation.prepare(graph, config.preparation()), config), config, block);
        try (GraphExecutor executor = new GraphExecutor(prepared, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            QuantizationPlan plan =
                    PlanBuilder.build(prepared, new StatisticsCollector(executor).collect(block), config);
            List<QuantizedLayer> layers = PlanBuilder.roundToNearest(prepared, plan);
            byte[] file = QdqExporter.export(prepared, plan, layers, config.opset());
            TensorData student = Engines.toTensor(new QuantizedStudent(executor, plan, layers)
                    .run(scope, block)
                    .outputs()
                    .get(OUTPUT));
            return new Quantized(
                    prepared,
                    plan,
                    layers,
                    file,
                    student,
                    OnnxRuntime.run(file, batch).get(OUTPUT),
                    OnnxRuntime.run(OnnxWriter.write(graph), batch).get(OUTPUT));
        }
    }

    private static Graph smoothed(Graph prepared, QuantizationConfig config, SampleBatch block) {
        if (!config.preparation().activationSmoothing()) {
            return prepared;
        }
        try (GraphExecutor executor = new GraphExecutor(prepared, Device.cpu())) {
            InputScales scales = new InputScalesCollector(executor, config).collect(block);
            return ActivationSmoothing.apply(prepared, ActivationSmoothing.factors(prepared, config, scales));
        }
    }

    /** Names of the tensors with an activation quantizer. */
    public List<String> activations() {
        return plan.activations().stream().map(quantizer -> quantizer.tensor()).toList();
    }

    /** The step of the grid of the output. */
    public float outputStep() {
        return plan.activations().stream()
                .filter(quantizer -> quantizer.tensor().equals(OUTPUT))
                .findFirst()
                .orElseThrow()
                .grid()
                .scale()[0];
    }

    /** The share of outputs in which student and ONNX Runtime differ by no more than {@code tolerance}. */
    public double agreement(double tolerance) {
        int same = 0;
        for (int i = 0; i < student.size(); i++) {
            same += Math.abs(student.floats()[i] - runtime.floats()[i]) <= tolerance ? 1 : 0;
        }
        return (double) same / student.size();
    }

    /** Mean squared error of ONNX Runtime's outputs, relative to the mean square of the float model's. */
    public double error() {
        double error = 0;
        double power = 0;
        for (int i = 0; i < expected.size(); i++) {
            double difference = runtime.floats()[i] - expected.floats()[i];
            error += difference * difference;
            power += (double) expected.floats()[i] * expected.floats()[i];
        }
        return error / power;
    }
}
