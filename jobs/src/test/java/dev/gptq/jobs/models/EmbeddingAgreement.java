package dev.gptq.jobs.models;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * How well embeddings of length one agree with others of the same sentences.
 *
 * @param cosine the mean cosine of a sentence's two embeddings
 * @param overlap the mean share of a sentence's ten nearest among the others that are the same by both
 */
record EmbeddingAgreement(double cosine, double overlap) {
    private static final int NEIGHBOURS = 10;

    static EmbeddingAgreement of(List<double[]> expected, List<double[]> actual) {
        double cosine = 0;
        double overlap = 0;
        for (int i = 0; i < expected.size(); i++) {
            cosine += SentenceEmbedder.dot(expected.get(i), actual.get(i));
            Set<Integer> common = neighbours(expected, i);
            common.retainAll(neighbours(actual, i));
            overlap += (double) common.size() / NEIGHBOURS;
        }
        return new EmbeddingAgreement(cosine / expected.size(), overlap / expected.size());
    }

    private static Set<Integer> neighbours(List<double[]> embeddings, int of) {
        double[] similarity = embeddings.stream()
                .mapToDouble(other -> SentenceEmbedder.dot(embeddings.get(of), other))
                .toArray();
        return new HashSet<>(IntStream.range(0, similarity.length)
                .filter(i -> i != of)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -similarity[i]))
                .limit(NEIGHBOURS)
                .toList());
    }
}
