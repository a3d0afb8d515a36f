package dev.gptq.train;

import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class LaneGradientTest {
    @Test
    void lanesAreSummedAsAFixedBinaryTree() {
        // In float32 1e8 + 1 = 1e8, so the order of additions shows.
        float[] values = {1e8f, 1, -1e8f, 1, 3};
        List<LaneGradient> lanes = new java.util.ArrayList<>();
        for (float value : values) {
            lanes.add(new LaneGradient(value, new float[] {value, 1}));
        }
        LaneGradient folded = LaneGradient.fold(lanes);
        float expected = ((1e8f + 1f) + (-1e8f + 1f)) + 3f;
        assertThat(folded.gradient()).containsExactly(expected, 5);
        assertThat(folded.loss()).isEqualTo(((1e8 + 1) + (-1e8 + 1)) + 3);
        assertThat(lanes.get(0).gradient()).containsExactly(1e8f, 1);
    }
}
