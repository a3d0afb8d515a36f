package dev.gptq.graph;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class TensorDataTest {
    private static final int ELEMENTS = 10_000;

    @ParameterizedTest
    @CsvSource({"INT8, -128, 127", "UINT8, 0, 255", "INT4, -8, 7", "BOOL, 0, 1"})
    void narrowTypesTakeOneByteForEachElementAndKeepTheirValues(ElementType type, long least, long most)
            throws IOException {
        long[] values = new long[ELEMENTS];
        for (int i = 0; i < values.length; i++) {
            values[i] = least + i % (most - least + 1);
        }

        TensorData tensor = TensorData.ofLongs(type, values, 100, 100);

        assertThat(tensor.longs()).isEqualTo(values);
        assertThat(TensorData.ofBytes(type, tensor.bytes(), ELEMENTS).longs()).isEqualTo(values);
        assertThat(tensor.part(3, 2).longs()).isEqualTo(Arrays.copyOfRange(values, 300, 500));
        assertThat(serialized(tensor)).isBetween(ELEMENTS, ELEMENTS + 1000);
        assertThat(serialized(TensorData.ofLongs(ElementType.INT32, values, ELEMENTS)))
                .isGreaterThan(8 * ELEMENTS);
    }

    @Test
    void onlyNarrowTypesAreMadeFromBytes() {
        assertThatThrownBy(() -> TensorData.ofBytes(ElementType.INT32, new byte[1], 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("INT32");
    }

    private static int serialized(TensorData tensor) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(tensor);
        }
        return bytes.size();
    }
}
