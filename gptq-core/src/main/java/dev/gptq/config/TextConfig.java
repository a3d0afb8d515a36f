package dev.gptq.config;

import java.io.Serializable;

/**
 * How text becomes model inputs: a HuggingFace tokenizer yields the columns input_ids, attention_mask and token_type_ids,
 * each of up to {@code maxLength} values per sample. Longer texts are cut, shorter ones are padded at the end.
 *
 * @param tokenizer path of a tokenizer.json
 * @param column the column with the text; "value" in text files
 * @param pair column with a second text, or null
 * @param maxLength tokens of every sample, special ones included
 * @param padId token of padding; null: the tokenizer's own, or 0 where it has none
 * @param addSpecialTokens whether the tokenizer's template ([CLS] ... [SEP]) is applied
 * @param padding how long padded texts are
 */
public record TextConfig(
        String tokenizer,
        String column,
        String pair,
        int maxLength,
        Long padId,
        boolean addSpecialTokens,
        Padding padding)
        implements Serializable {
    static final int DEFAULT_MAX_LENGTH = 128;

    private static final int LARGEST_LENGTH = 1 << 20;

    /** How long padded texts are. */
    public enum Padding {
        /** All have maxLength tokens. */
        MAX_LENGTH,
        /** Those that are computed together are as long as the longest of them, rounded up to a multiple of eight. */
        LONGEST
    }

    public TextConfig {
        Check.text(tokenizer, "text.tokenizer", "Set it to the path of a tokenizer.json");
        Check.text(column, "text.column", "Set it to a column of text");
        Check.between(maxLength, 1, LARGEST_LENGTH, "text.max_length");
        if (padId != null) {
            Check.atLeast(padId, 0, "text.pad_id");
        }
        Check.given(padding, "text.padding", "Use max_length or longest");
    }

    /** Padded to {@code maxLength}. */
    public TextConfig(
            String tokenizer, String column, String pair, int maxLength, Long padId, boolean addSpecialTokens) {
        this(tokenizer, column, pair, maxLength, padId, addSpecialTokens, Padding.MAX_LENGTH);
    }

    /** The column "value" in 128 tokens. */
    public static TextConfig of(String tokenizer) {
        return new TextConfig(tokenizer, "value", null, DEFAULT_MAX_LENGTH, null, true);
    }
}
