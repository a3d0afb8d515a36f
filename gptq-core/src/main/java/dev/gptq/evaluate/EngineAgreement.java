package dev.gptq.evaluate;

import ai.djl.ndarray.NDArray;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.engine.Engines;
import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;

/**
 * Counts how often ONNX Runtime's integer kernels and the quantized student in the engine say the same: the export is right
 * when nearly all values are within one step of the output's grid.
 *
 * @param samples samples compared by class; 0 when the first output is no class vector
 * @param sameClass those with the same class
 * @param values output values compared
 * @param withinStep those that differ by at most one quantization step (an output that is not quantized: 1e-4 of its
 *     largest value)
 */
public record EngineAgreement(long samples, long sameClass, long values, long withinStep) implements Serializable {
    /** Slack for the last bit of step * integer, as a share of a step. */
    private static final double ROUNDING = 1e-3;

    private static final double FLOAT_TOLERANCE = 1e-4;

    EngineAgreement plus(EngineAgreement next) {
        return new EngineAgreement(
                samples + next.samples, sameClass + next.sameClass, values + next.values, withinStep + next.withinStep);
    }

    /** Share of samples with the same class; null when nothing was compared. */
    public Double top1() {
        return samples == 0 ? null : (double) sameClass / samples;
    }

    /** Share of output values within one step. */
    public double withinOneStep() {
        return values == 0 ? 1 : (double) withinStep / values;
    }

    /** The step of every quantized tensor of {@code plan}. */
    static Map<String, Double> steps(QuantizationPlan plan) {
        Map<String, Double> steps = new HashMap<>();
        for (ActivationQuantizer quantizer : plan.activations()) {
            steps.put(quantizer.tensor(), (double) quantizer.grid().scale()[0]);
        }
        return steps;
    }

    /** Counts of one batch of {@code size} samples; the first entry of {@code runtime} is the classification output. */
    static EngineAgreement of(
            int size, Map<String, ModelOutput> runtime, Map<String, NDArray> student, Map<String, Double> steps) {
        EngineAgreement sum = new EngineAgreement(0, 0, 0, 0);
        boolean first = true;
        for (Map.Entry<String, ModelOutput> entry : runtime.entrySet()) {
            NDArray array = student.get(entry.getKey());
            if (array == null || !entry.getValue().floating()) {
                continue;
            }
            double[] values = Engines.toDoubles(array);
            ModelOutput expected = new ModelOutput(entry.getValue().shape(), values, true);
            Double step = steps.get(entry.getKey());
            sum = sum.plus(new EngineAgreement(0, 0, values.length, within(entry.getValue(), expected, step)));
            if (first && expected.isClassVector()) {
                sum = sum.plus(
                        new EngineAgreement(size, OutputComparison.agreed(size, expected, entry.getValue()), 0, 0));
            }
            first = false;
        }
        return sum;
    }

    private static long within(ModelOutput runtime, ModelOutput student, Double step) {
        double largest = 0;
        for (double value : student.values()) {
            largest = Math.max(largest, Math.abs(value));
        }
        double tolerance = step == null ? FLOAT_TOLERANCE * largest : step * (1 + ROUNDING);
        long within = 0;
        for (int i = 0; i < student.values().length; i++) {
            if (Math.abs(runtime.values()[i] - student.values()[i]) <= tolerance) {
                within++;
            }
        }
        return within;
    }
}
