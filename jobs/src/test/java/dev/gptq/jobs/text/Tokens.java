package dev.gptq.jobs.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.TensorData;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;

/**
 * Sentences as the model takes them, all of one length.
 *
 * @param ids row-major [sentences, LENGTH]
 * @param mask 1 for tokens, 0 for padding
 */
record Tokens(long[] ids, long[] mask) {
    static final int LENGTH = 32;

    static Tokens of(List<String> sentences) throws IOException {
        long[] ids = new long[sentences.size() * LENGTH];
        long[] mask = new long[ids.length];
        try (InputStream file = Tokens.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json");
                HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(
                        file,
                        Map.of("maxLength", "" + LENGTH, "padding", "max_length", "truncation", "true"))) {
            Encoding[] encodings = tokenizer.batchEncode(sentences);
            for (int i = 0; i < encodings.length; i++) {
                System.arraycopy(encodings[i].getIds(), 0, ids, i * LENGTH, LENGTH);
                System.arraycopy(encodings[i].getAttentionMask(), 0, mask, i * LENGTH, LENGTH);
            }
        }
        return new Tokens(ids, mask);
    }

    int sentences() {
        return ids.length / LENGTH;
    }

    /** The model's inputs for some of the sentences. */
    Map<String, TensorData> inputs(int from, int count) {
        return Map.of(
                "input_ids", rows(ids, from, count),
                "attention_mask", rows(mask, from, count),
                "token_type_ids", rows(new long[ids.length], from, count));
    }

    private static TensorData rows(long[] values, int from, int count) {
        long[] part = new long[count * LENGTH];
        System.arraycopy(values, from * LENGTH, part, 0, part.length);
        return TensorData.ofLongs(ElementType.INT64, part, count, LENGTH);
    }
}
