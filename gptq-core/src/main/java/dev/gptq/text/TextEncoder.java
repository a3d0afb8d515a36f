package dev.gptq.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.TextConfig;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Text -> token ids, by a HuggingFace tokenizer.json; holds native memory. */
public final class TextEncoder implements AutoCloseable {
    static {
        // The library in the jar is the one that is used; without this, machines with a GPU would download another.
        System.setProperty("ai.djl.offline", "true");
    }

    private static final List<String> PAD_TOKENS = List.of("[PAD]", "<pad>", "<|pad|>");

    private final TextConfig config;
    private final HuggingFaceTokenizer tokenizer;
    private final long padId;

    /**
     * Loads a tokenizer.
     *
     * @param json content of the tokenizer.json
     * @throws GptqException BAD_INPUT when it is none
     */
    public TextEncoder(byte[] json, TextConfig config) {
        this.config = config;
        // Padding is ours: what a tokenizer.json without padding of its own pads with would be the library's choice.
        Map<String, String> options = Map.of(
                "addSpecialTokens",
                Boolean.toString(config.addSpecialTokens()),
                "truncation",
                "true",
                "padding",
                "false",
                "maxLength",
                Integer.toString(config.maxLength()));
        try {
            this.padId = config.padId() == null ? padId(new ObjectMapper().readTree(json)) : config.padId();
            this.tokenizer = HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), options);
        } catch (IOException | RuntimeException e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new GptqException(
                    ErrorCode.BAD_INPUT,
                    "Cannot read tokenizer '" + config.tokenizer() + "': " + reason
                            + ". Give the tokenizer.json that belongs to the model.",
                    e);
        }
    }

    /**
     * Each of length {@code max_length}; padding has mask 0 and type 0.
     *
     * @param length tokens that are not padding
     */
    public record Tokens(long[] ids, long[] mask, long[] types, int length) {}

    /** The tokens of a text, or of two texts as one sequence; {@code pair} may be null. */
    public Tokens encode(String text, String pair) {
        Encoding encoding = pair == null ? tokenizer.encode(text) : tokenizer.encode(text, pair);
        long[] ids = encoding.getIds();
        int length = Math.min(ids.length, config.maxLength());
        long[] padded = Arrays.copyOf(ids, config.maxLength());
        Arrays.fill(padded, length, padded.length, padId);
        return new Tokens(
                padded,
                Arrays.copyOf(Arrays.copyOf(encoding.getAttentionMask(), length), config.maxLength()),
                Arrays.copyOf(Arrays.copyOf(encoding.getTypeIds(), length), config.maxLength()),
                length);
    }

    private static long padId(JsonNode root) {
        if (root.path("padding").has("pad_id")) {
            return root.path("padding").path("pad_id").asLong();
        }
        for (JsonNode token : root.path("added_tokens")) {
            if (PAD_TOKENS.contains(token.path("content").asText())) {
                return token.path("id").asLong();
            }
        }
        return 0;
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
