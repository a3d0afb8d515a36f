package dev.gptq.jobs.models;

import dev.gptq.config.TextConfig;
import dev.gptq.evaluate.ModelOutput;
import dev.gptq.evaluate.OnnxSession;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.TensorData;
import dev.gptq.text.TextEncoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A sentence transformer in ONNX Runtime: the mean of a sentence's token features, at length one. */
final class SentenceEmbedder implements AutoCloseable {
    static final int MAX_TOKENS = 64;
    private static final int BATCH = 16;

    private final OnnxSession session;
    private final TextEncoder encoder;

    SentenceEmbedder(byte[] model, byte[] tokenizer) {
        this.session = new OnnxSession(model, "MiniLM");
        this.encoder = new TextEncoder(
                tokenizer,
                new TextConfig("tokenizer.json", "value", null, MAX_TOKENS, null, true, TextConfig.Padding.LONGEST));
    }

    List<double[]> embed(List<String> sentences) {
        List<double[]> embeddings = new ArrayList<>();
        for (int start = 0; start < sentences.size(); start += BATCH) {
            List<TextEncoder.Tokens> tokens = new ArrayList<>();
            sentences
                    .subList(start, Math.min(sentences.size(), start + BATCH))
                    .forEach(sentence -> tokens.add(encoder.encode(sentence, null)));
            embeddings.addAll(embedTokens(tokens));
        }
        return embeddings;
    }

    private List<double[]> embedTokens(List<TextEncoder.Tokens> batch) {
        int length = batch.stream().mapToInt(TextEncoder.Tokens::length).max().orElseThrow();
        ModelOutput output = session.run(Map.of(
                        "input_ids",
                                tensor(
                                        batch.stream()
                                                .map(TextEncoder.Tokens::ids)
                                                .toList(),
                                        length),
                        "attention_mask",
                                tensor(
                                        batch.stream()
                                                .map(TextEncoder.Tokens::mask)
                                                .toList(),
                                        length),
                        "token_type_ids",
                                tensor(
                                        batch.stream()
                                                .map(TextEncoder.Tokens::types)
                                                .toList(),
                                        length)))
                .values()
                .iterator()
                .next();
        int features = (int) output.shape()[2];
        List<double[]> embeddings = new ArrayList<>();
        for (int sentence = 0; sentence < batch.size(); sentence++) {
            double[] sum = new double[features];
            for (int token = 0; token < batch.get(sentence).length(); token++) {
                int at = (sentence * length + token) * features;
                for (int i = 0; i < features; i++) {
                    sum[i] += output.values()[at + i];
                }
            }
            embeddings.add(normalized(sum));
        }
        return embeddings;
    }

    private static TensorData tensor(List<long[]> rows, int length) {
        long[] values = new long[rows.size() * length];
        for (int row = 0; row < rows.size(); row++) {
            System.arraycopy(rows.get(row), 0, values, row * length, Math.min(length, rows.get(row).length));
        }
        return TensorData.ofLongs(ElementType.INT64, values, new long[] {rows.size(), length});
    }

    private static double[] normalized(double[] vector) {
        double length = Math.sqrt(dot(vector, vector));
        for (int i = 0; i < vector.length; i++) {
            vector[i] /= length;
        }
        return vector;
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    @Override
    public void close() {
        session.close();
        encoder.close();
    }
}
