package dev.gptq.evaluate;

import dev.gptq.GptqException;
import dev.gptq.graph.SampleBatch;
import java.util.Map;

/** Compares a quantized model's outputs for one batch with the float model's. */
final class OutputComparison {
    private OutputComparison() {}

    /** The sums of one batch; outputs are matched by name. */
    static OutputSums compare(
            SampleBatch batch, Map<String, ModelOutput> reference, Map<String, ModelOutput> quantized) {
        int size = batch.size();
        double[] dot = new double[size];
        double[] referenceSquares = new double[size];
        double[] quantizedSquares = new double[size];
        double noise = 0;
        for (Map.Entry<String, ModelOutput> entry : reference.entrySet()) {
            double[] expected = entry.getValue().values();
            double[] actual = matching(entry.getKey(), quantized, expected.length, size);
            int perSample = expected.length / size;
            for (int i = 0; i < expected.length; i++) {
                int sample = i / perSample;
                dot[sample] += expected[i] * actual[i];
                referenceSquares[sample] += expected[i] * expected[i];
                quantizedSquares[sample] += actual[i] * actual[i];
                noise += (expected[i] - actual[i]) * (expected[i] - actual[i]);
            }
        }
        double signal = 0;
        double cosine = 0;
        for (int sample = 0; sample < size; sample++) {
            signal += referenceSquares[sample];
            cosine += cosine(dot[sample], referenceSquares[sample], quantizedSquares[sample]);
        }
        ModelOutput first = reference.values().iterator().next();
        ModelOutput firstQuantized = quantized.get(reference.keySet().iterator().next());
        return new OutputSums(
                correct(batch, firstQuantized), agreed(size, first, firstQuantized), signal, noise, cosine);
    }

    /** Samples whose label is the class of {@code output}; 0 without labels or without a class vector. */
    static long correct(SampleBatch batch, ModelOutput output) {
        if (batch.labels() == null || !output.isClassVector()) {
            return 0;
        }
        long correct = 0;
        for (int sample = 0; sample < batch.size(); sample++) {
            if (output.classOf(sample) == batch.labels()[sample]) {
                correct++;
            }
        }
        return correct;
    }

    /** Samples for which both outputs choose the same class; 0 when they are no class vectors. */
    static long agreed(int size, ModelOutput reference, ModelOutput quantized) {
        if (!reference.isClassVector()) {
            return 0;
        }
        long agreed = 0;
        for (int sample = 0; sample < size; sample++) {
            if (reference.classOf(sample) == quantized.classOf(sample)) {
                agreed++;
            }
        }
        return agreed;
    }

    /** A zero vector is identical to a zero vector and has nothing in common with any other. */
    private static double cosine(double dot, double squares, double otherSquares) {
        if (squares == 0 && otherSquares == 0) {
            return 1;
        }
        return squares == 0 || otherSquares == 0 ? 0 : dot / (Math.sqrt(squares) * Math.sqrt(otherSquares));
    }

    private static double[] matching(String output, Map<String, ModelOutput> quantized, int length, int size) {
        ModelOutput match = quantized.get(output);
        if (match == null || match.values().length != length) {
            throw GptqException.unsupported(
                    "Cannot compare output '%s': the float model gives %d values, the quantized model %s. "
                            + "Both models have to have the same outputs.",
                    output, length, match == null ? "has no such output" : match.values().length);
        }
        if (length == 0 || length % size != 0) {
            throw GptqException.unsupported(
                    "Cannot evaluate output '%s': its %d values do not divide among the %d samples of a batch. "
                            + "Give the model an output whose first dimension is the batch.",
                    output, length, size);
        }
        return match.values();
    }
}
