package dev.gptq.evaluate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.export.QuantizedModel;
import dev.gptq.onnx.OnnxModel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class LatencyTest {
    @Test
    void modelsTakeTurnsAndHaveAsManyRunsEach() {
        try (QuantizedModel model = QuantizedModel.of("m1_folded.onnx", QuantizationConfig.defaults())) {
            Map<String, OnnxModel> models = new LinkedHashMap<>();
            models.put("float", OnnxModel.of(model.floatFile()));
            models.put("gptq", OnnxModel.of(model.file()));

            List<Latency> latencies = Latency.measure(models, QuantizedModel.images(0, 1));

            assertThat(latencies).extracting(Latency::model).containsExactly("float", "gptq");
            assertThat(latencies)
                    .allSatisfy(latency -> assertThat(latency.medianMillis()).isPositive());
            assertThat(latencies.get(0).runs())
                    .isEqualTo(latencies.get(1).runs())
                    .isBetween(5, 101);
        }
    }
}
