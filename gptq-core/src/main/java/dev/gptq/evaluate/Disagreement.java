package dev.gptq.evaluate;

import dev.gptq.graph.SampleBatch;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * How far the quantized model is from the float model on one sample.
 *
 * @param sample index in the dataset's canonical order
 * @param relativeNoise sum of squared differences of all outputs over the sum of squared float outputs
 * @param floatClass the float model's class, or null when the first output is no class vector; {@code quantizedClass} likewise
 * @param label null without labels
 */
public record Disagreement(long sample, double relativeNoise, Integer floatClass, Integer quantizedClass, Long label)
        implements Serializable {
    /** Samples kept. */
    public static final int KEPT = 12;

    /** Samples of another class come first, then those with more noise; the index makes the order total. */
    private static final Comparator<Disagreement> WORST_FIRST = Comparator.comparing(Disagreement::changesClass)
            .thenComparing(Disagreement::relativeNoise)
            .reversed()
            .thenComparing(Disagreement::sample);

    /** Whether the models choose different classes. */
    public boolean changesClass() {
        return floatClass != null && !floatClass.equals(quantizedClass);
    }

    /** The worst samples of a batch. */
    static List<Disagreement> worst(
            SampleBatch batch, Map<String, ModelOutput> reference, Map<String, ModelOutput> quantized) {
        int size = batch.size();
        double[] signal = new double[size];
        double[] noise = new double[size];
        for (Map.Entry<String, ModelOutput> output : reference.entrySet()) {
            double[] expected = output.getValue().values();
            double[] actual = quantized.get(output.getKey()).values();
            int perSample = expected.length / size;
            for (int i = 0; i < perSample * size; i++) {
                double difference = expected[i] - actual[i];
                noise[i / perSample] += difference * difference;
                signal[i / perSample] += expected[i] * expected[i];
            }
        }
        String first = reference.keySet().iterator().next();
        boolean classes = reference.get(first).isClassVector();
        List<Disagreement> samples = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            samples.add(new Disagreement(
                    batch.firstIndex() + i,
                    noise[i] == 0 ? 0 : noise[i] / signal[i],
                    classes ? reference.get(first).classOf(i) : null,
                    classes ? quantized.get(first).classOf(i) : null,
                    batch.labels() == null ? null : batch.labels()[i]));
        }
        return worst(samples);
    }

    /** The worst of both, in an order that does not depend on which came first. */
    static List<Disagreement> merge(List<Disagreement> some, List<Disagreement> others) {
        List<Disagreement> all = new ArrayList<>(some);
        all.addAll(others);
        return worst(all);
    }

    private static List<Disagreement> worst(List<Disagreement> samples) {
        return samples.stream().sorted(WORST_FIRST).limit(KEPT).toList();
    }
}
