package dev.gptq.calibrate;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.QuantizationMethod;
import dev.gptq.config.ThresholdMethod;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.export.QdqExporter;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.Models;
import dev.gptq.testing.OnnxRuntime;
import dev.gptq.train.QuantizedStudent;
import java.util.List;
import java.util.Map;

/** A small model with input "x" and output "out" after the corrections that a configuration asks for. */
record Corrected(
        Graph prepared,
        SampleBatch batch,
        BlockStatistics statistics,
        QuantizationPlan before,
        QuantizationPlan plan,
        Graph graph) {
    private static final int BITS = 8;

    static Corrected of(Graph model, TensorData samples, QuantizationConfig config) {
        Graph prepared = GraphPreparation.prepare(model, config.preparation());
        SampleBatch batch = new SampleBatch(0, (int) samples.shape()[0], Map.of("x", samples), null);
        try (GraphExecutor executor = new GraphExecutor(prepared, Device.cpu())) {
            BlockStatistics statistics = new StatisticsCollector(executor).collect(batch);
            QuantizationPlan before = PlanBuilder.build(prepared, statistics, config);
            QuantizationPlan plan = StatisticsCorrections.apply(prepared, statistics, before, config);
            return new Corrected(prepared, batch, statistics, before, plan, CorrectedGraph.of(prepared, plan));
        }
    }

    /** 8-bit kernels, power-of-two activations of some bits, signed where the data are. */
    static QuantizationConfig activations(int bits) {
        return activations(bits, QuantizationMethod.POWER_OF_TWO, null);
    }

    static QuantizationConfig activations(int bits, QuantizationMethod method, Boolean signed) {
        return QuantizationConfig.ofPreset("imx500")
                .withWeights(new QuantizationConfig.Weights(
                        BITS, QuantizationMethod.SYMMETRIC, true, ThresholdMethod.MSE, 2))
                .withActivations(new QuantizationConfig.Activations(
                        bits, method, signed, ThresholdMethod.MSE, 2, Double.POSITIVE_INFINITY));
    }

    /** Normally distributed samples of a larger deviation. */
    static TensorData samples(float deviation, long... shape) {
        float[] values = Models.random(7, shape).floats();
        for (int i = 0; i < values.length; i++) {
            values[i] *= deviation;
        }
        return TensorData.ofFloats(values, shape);
    }

    /** What ONNX Runtime makes of the float model before any correction. */
    TensorData floatOutput() {
        return OnnxRuntime.run(OnnxWriter.write(prepared), batch.inputs()).get("out");
    }

    TensorData correctedOutput() {
        return OnnxRuntime.run(OnnxWriter.write(graph), batch.inputs()).get("out");
    }

    /** The quantized model's output in the engine, kernels rounded to nearest. */
    TensorData studentOutput() {
        return studentOutput(graph, plan);
    }

    TensorData studentOutputWithoutCorrection() {
        return studentOutput(prepared, before);
    }

    private TensorData studentOutput(Graph model, QuantizationPlan quantizers) {
        try (GraphExecutor executor = new GraphExecutor(model, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            List<QuantizedLayer> layers = PlanBuilder.roundToNearest(model, quantizers);
            return Engines.toTensor(new QuantizedStudent(executor, quantizers, layers)
                    .run(scope, batch)
                    .outputs()
                    .get("out"));
        }
    }

    /** The exported model's output in ONNX Runtime. */
    TensorData exportedOutput() {
        byte[] file = QdqExporter.export(graph, plan, PlanBuilder.roundToNearest(graph, plan), 13);
        return OnnxRuntime.run(file, batch.inputs()).get("out");
    }

    ActivationQuantizer quantizer(String tensor) {
        return find(plan, tensor);
    }

    ActivationQuantizer quantizerBefore(String tensor) {
        return find(before, tensor);
    }

    private static ActivationQuantizer find(QuantizationPlan plan, String tensor) {
        return plan.activations().stream()
                .filter(quantizer -> quantizer.tensor().equals(tensor))
                .findFirst()
                .orElse(null);
    }

    /** The same with {@code tensor} left in float, so that its own rounding hides nothing. */
    Corrected withUnquantized(String tensor) {
        return new Corrected(prepared, batch, statistics, without(before, tensor), without(plan, tensor), graph);
    }

    private static QuantizationPlan without(QuantizationPlan plan, String tensor) {
        List<ActivationQuantizer> kept = plan.activations().stream()
                .filter(quantizer -> !quantizer.tensor().equals(tensor))
                .toList();
        return new QuantizationPlan(plan.weights(), kept, plan.corrections());
    }

    static double squaredError(TensorData actual, TensorData expected) {
        double sum = 0;
        for (int i = 0; i < expected.size(); i++) {
            double difference = (double) actual.floats()[i] - expected.floats()[i];
            sum += difference * difference;
        }
        return sum / expected.size();
    }
}
