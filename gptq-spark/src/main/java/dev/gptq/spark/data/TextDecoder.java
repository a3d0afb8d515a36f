package dev.gptq.spark.data;

import dev.gptq.config.TextConfig;
import dev.gptq.text.TextEncoder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StringType;

/** Tokenizes one or two columns of text. */
record TextDecoder(TextConfig config, Broadcast<byte[]> tokenizer) implements SampleDecoder {
    private static final String IDS = "input_ids";
    private static final String MASK = "attention_mask";
    private static final String TYPES = "token_type_ids";

    @Override
    public List<String> sources() {
        return config.pair() == null ? List.of(config.column()) : List.of(config.column(), config.pair());
    }

    @Override
    public String expectedType(DataType type) {
        return type instanceof StringType ? null : "text";
    }

    @Override
    public boolean yields(String column) {
        return List.of(IDS, MASK, TYPES).contains(column);
    }

    @Override
    public long[] shape() {
        return new long[] {config.maxLength()};
    }

    @Override
    public boolean ragged() {
        return config.padding() == TextConfig.Padding.LONGEST;
    }

    @Override
    public Session open() {
        return new TextSession(new TextEncoder(tokenizer.value(), config));
    }

    private final class TextSession implements Session {
        private final TextEncoder encoder;

        TextSession(TextEncoder encoder) {
            this.encoder = encoder;
        }

        @Override
        public Map<String, Values> decode(List<Object> sources) {
            TextEncoder.Tokens tokens =
                    encoder.encode((String) sources.get(0), sources.size() > 1 ? (String) sources.get(1) : null);
            int length = tokens.length();
            return Map.of(
                    IDS, values(tokens.ids(), length),
                    MASK, values(tokens.mask(), length),
                    TYPES, values(tokens.types(), length));
        }

        private Values values(long[] tokens, int length) {
            return new Values(Arrays.stream(tokens).asDoubleStream().toArray(), shape(), length);
        }

        @Override
        public void close() {
            encoder.close();
        }
    }
}
