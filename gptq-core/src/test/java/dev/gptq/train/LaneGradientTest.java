package dev.gptq.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class LaneGradientTest {
    @Test
    void lanesAreSummedAsAFixedBinaryTree() {
        // In float32 1e8 + 1 = 1e8, so the order of additions shows.
        float[] values = {1e8f, 1, -1e8f, 1, 3};
        List<LaneGradient> lanes = new ArrayList<>();
        for (float value : values) {
            lanes.add(new LaneGradient(value, new float[] {value, 1}));
        }
        LaneGradient folded = LaneGradient.fold(lanes);
        float expected = ((1e8f + 1f) + (-1e8f + 1f)) + 3f;
        assertThat(folded.gradient()).containsExactly(expected, 5);
        assertThat(folded.loss()).isEqualTo(((1e8 + 1) + (-1e8 + 1)) + 3);
        assertThat(lanes.get(0).gradient()).containsExactly(1e8f, 1);
    }

    @Test
    void partsOfLayersAreSummedAsTheLossIs() {
        LaneGradient folded = LaneGradient.fold(List.of(
                new LaneGradient(new double[] {3, 1, 2}, new float[1]),
                new LaneGradient(new double[] {0.5, 0.25, 0.25}, new float[1]),
                new LaneGradient(new double[] {7, 0, 7}, new float[1])));

        assertThat(folded.loss()).isEqualTo(10.5);
        assertThat(LaneGradient.layers(folded.losses())).containsExactly(1.25, 9.25);
        assertThat(LaneGradient.layers(new LaneGradient(1, new float[1]).losses()))
                .isEmpty();
    }

    @Test
    void foldedSlicesJoinToTheFoldOfTheWhole() {
        Random random = new Random(4);
        List<LaneGradient> lanes = new ArrayList<>();
        for (int lane = 0; lane < 5; lane++) {
            float[] gradient = new float[11];
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] = (float) random.nextGaussian();
            }
            lanes.add(new LaneGradient(random.nextGaussian(), gradient));
        }
        List<LaneGradient> slices = new ArrayList<>();
        int[] cuts = {0, 3, 4, 4, 11};
        for (int i = 1; i < cuts.length; i++) {
            int from = cuts[i - 1];
            int to = cuts[i];
            slices.add(LaneGradient.fold(
                    lanes.stream().map(lane -> lane.slice(from, to)).toList()));
        }

        LaneGradient joined = LaneGradient.join(slices);

        assertThat(joined.loss()).isEqualTo(LaneGradient.fold(lanes).loss());
        assertThat(joined.gradient()).isEqualTo(LaneGradient.fold(lanes).gradient());
    }
}
