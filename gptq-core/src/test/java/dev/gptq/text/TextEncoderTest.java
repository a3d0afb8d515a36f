package dev.gptq.text;

import dev.gptq.GptqException;
import dev.gptq.config.TextConfig;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class TextEncoderTest {
    /** Words of a vocabulary between [CLS] and [SEP], as BERT has it. */
    private static final String JSON =
            """
            {"version": "1.0", "truncation": null, "padding": null,
             "added_tokens": [
               {"id": 3, "content": "[PAD]", "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true}],
             "normalizer": {"type": "Lowercase"},
             "pre_tokenizer": {"type": "Whitespace"},
             "post_processor": {"type": "TemplateProcessing",
               "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                          {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
               "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                        {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                        {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
               "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]},
                                  "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}},
             "decoder": null,
             "model": {"type": "WordLevel", "unk_token": "[UNK]",
               "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "[PAD]": 3, "spark": 4, "makes": 5, "models": 6,
                         "small": 7}}}
            """;

    @Test
    void aShortTextIsPaddedWithTheTokenizersToken() {
        try (TextEncoder encoder = encoder(new TextConfig("t", "text", null, 6, null, true))) {
            TextEncoder.Tokens tokens = encoder.encode("Spark makes", null);

            assertThat(tokens.ids()).containsExactly(1, 4, 5, 2, 3, 3);
            assertThat(tokens.mask()).containsExactly(1, 1, 1, 1, 0, 0);
            assertThat(tokens.types()).containsOnly(0);
        }
    }

    @Test
    void aLongTextIsCutSoThatItsEndMarkerStays() {
        try (TextEncoder encoder = encoder(new TextConfig("t", "text", null, 4, null, true))) {
            assertThat(encoder.encode("spark makes models small", null).ids()).containsExactly(1, 4, 5, 2);
            assertThat(encoder.encode("spark flies", null).ids()).containsExactly(1, 4, 0, 2);
        }
    }

    @Test
    void twoTextsHaveTheirOwnTypes() {
        try (TextEncoder encoder = encoder(new TextConfig("t", "a", "b", 8, 9L, true))) {
            TextEncoder.Tokens tokens = encoder.encode("spark", "small models");

            assertThat(tokens.ids()).containsExactly(1, 4, 2, 7, 6, 2, 9, 9);
            assertThat(tokens.types()).containsExactly(0, 0, 0, 1, 1, 1, 0, 0);
        }
    }

    @Test
    void specialTokensCanBeLeftOut() {
        try (TextEncoder encoder = encoder(new TextConfig("t", "text", null, 3, null, false))) {
            assertThat(encoder.encode("spark small", null).ids()).containsExactly(4, 7, 3);
        }
    }

    @Test
    void whatIsNoTokenizerIsRefused() {
        assertThatThrownBy(() -> new TextEncoder("{}".getBytes(StandardCharsets.UTF_8), TextConfig.of("x/t.json")))
                .isInstanceOf(GptqException.class)
                .hasMessageStartingWith("Cannot read tokenizer 'x/t.json': ");
    }

    private static TextEncoder encoder(TextConfig config) {
        return new TextEncoder(JSON.getBytes(StandardCharsets.UTF_8), config);
    }
}
