package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class NativeLogTest {
    private static final int ERRORS = 2;

    @Test
    void warningsOfNativeCodeAreNotWrittenOnceThereIsAScope() {
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            assertThat(NativeLog.hasOnlyErrors()).isTrue();
            assertThat(NativeLog.level().getInt(0)).isEqualTo(ERRORS);
        }
    }
}
