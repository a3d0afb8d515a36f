package dev.gptq.testing;

import dev.gptq.train.MemoryTrainingData;
import dev.gptq.train.SampleSource;
import dev.gptq.train.TrainingData;

/** Training data in memory. */
public final class InMemory {
    private InMemory() {}

    /** Samples with their scores as sample-layer attention. */
    public static TrainingData attention(SampleSource source, double[][] scores) {
        float[][] attention = new float[scores.length][];
        for (int sample = 0; sample < scores.length; sample++) {
            attention[sample] = new float[scores[sample].length];
            for (int point = 0; point < attention[sample].length; point++) {
                attention[sample][point] = (float) scores[sample][point];
            }
        }
        return new MemoryTrainingData(source, attention, null);
    }
}
