package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.testing.GraphBuilder;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class UsableDevicesTest {
    @Test
    void theCpuIsAlwaysUsable() {
        assertThatCode(() -> Engines.requireUsable(Device.cpu())).doesNotThrowAnyException();
    }

    @Test
    void aModelOnAGpuWithoutCudaIsRefusedInsteadOfEndingTheProcess() {
        Assumptions.assumeFalse(Engine.getEngine("PyTorch").hasCapability(StandardCapabilities.CUDA));
        var graph = new GraphBuilder(13)
                .input("x", -1, 3)
                .weight("w", 3, 4)
                .node("MatMul", "x w", "out")
                .build();

        GptqException failure =
                catchThrowableOfType(GptqException.class, () -> new GraphExecutor(graph, Device.gpu(1)));

        assertThat(failure.code()).isEqualTo(ErrorCode.CLUSTER);
        assertThat(failure).hasMessageContainingAll("GPU 1", "no CUDA", "mvn -Pcuda package", "device: cpu");
    }
}
