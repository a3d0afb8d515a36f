package dev.gptq.jobs.text;

import dev.gptq.evaluate.ModelOutput;
import dev.gptq.evaluate.OnnxSession;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Sentence vectors: means over tokens, of length one. */
record Embeddings(double[][] vectors) {
    private static final int BATCH = 16;
    private static final int NEIGHBOURS = 10;

    static Embeddings of(byte[] model, Tokens tokens) {
        double[][] vectors = new double[tokens.sentences()][];
        try (OnnxSession session = new OnnxSession(model, "test")) {
            for (int start = 0; start < vectors.length; start += BATCH) {
                int count = Math.min(BATCH, vectors.length - start);
                ModelOutput hidden =
                        session.run(tokens.inputs(start, count)).values().iterator().next();
                for (int i = 0; i < count; i++) {
                    vectors[start + i] = mean(hidden, i, tokens.mask(), (start + i) * Tokens.LENGTH);
                }
            }
        }
        return new Embeddings(vectors);
    }

    private static double[] mean(ModelOutput hidden, int sentence, long[] mask, int firstToken) {
        int width = (int) hidden.shape()[2];
        double[] sum = new double[width];
        for (int token = 0; token < Tokens.LENGTH; token++) {
            for (int i = 0; mask[firstToken + token] == 1 && i < width; i++) {
                sum[i] += hidden.values()[(sentence * Tokens.LENGTH + token) * width + i];
            }
        }
        double length = Math.sqrt(dot(sum, sum));
        return Arrays.stream(sum).map(value -> value / length).toArray();
    }

    /** Mean cosine between vectors of the same sentence. */
    double cosine(Embeddings other) {
        return IntStream.range(0, vectors.length)
                .mapToDouble(i -> dot(vectors[i], other.vectors[i]))
                .average()
                .orElseThrow();
    }

    /** Share of each sentence's ten nearest that both have. */
    double overlap(Embeddings other) {
        return IntStream.range(0, vectors.length)
                .mapToDouble(i -> {
                    Set<Integer> both = new HashSet<>(nearest(i));
                    both.retainAll(other.nearest(i));
                    return (double) both.size() / NEIGHBOURS;
                })
                .average()
                .orElseThrow();
    }

    private List<Integer> nearest(int sentence) {
        return IntStream.range(0, vectors.length)
                .filter(i -> i != sentence)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -dot(vectors[sentence], vectors[i])))
                .limit(NEIGHBOURS)
                .toList();
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
