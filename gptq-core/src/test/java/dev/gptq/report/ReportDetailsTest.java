package dev.gptq.report;

import dev.gptq.GptqException;
import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.graph.ComparePoint;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ReportDetailsTest {
    @Test
    void whatIsWrittenIsReadBack() {
        ReportDetails details = SampleDetails.of(3, 50, "conv");

        ReportDetails read = ReportDetails.fromJson(details.toJson());

        assertThat(read).usingRecursiveComparison().isEqualTo(details);
    }

    @Test
    void anotherFileIsRefused() {
        assertThatThrownBy(() -> ReportDetails.fromJson("{\"latency\":1}"))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("Delete details.json");
    }

    @Test
    void flipsAreCountedByTheirDirection() {
        RoundingFlips flips = RoundingFlips.of(List.of(layer(0, 1, 2, 3, 4)), List.of(layer(0, 2, 3, 2, 4)))
                .get(0);

        assertThat(flips).isEqualTo(new RoundingFlips("conv", 5, 2, 1));
        assertThat(flips.share()).isEqualTo(0.6);
    }

    private static QuantizedLayer layer(int... integers) {
        ComparePoint point = new ComparePoint("conv", "y", "w", null, 0);
        QuantizationGrid grid = new QuantizationGrid(-1, new float[] {1}, new int[] {0}, -8, 7);
        return new QuantizedLayer(point, grid, integers, null);
    }
}
