package dev.gptq.train;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * A lane's share of the step's mean loss and its gradient with respect to {@link StudentParameters#values}. Lanes are
 * weighted by their sample count already, so the global loss and gradient are plain sums over lanes.
 */
public record LaneGradient(double loss, float[] gradient) implements Serializable {
    /**
     * Sums lanes in lane order by a fixed binary tree ((0+1)+(2+3), a lane without partner moves up as it is), element by
     * element in float32. The arguments do not change.
     */
    public static LaneGradient fold(List<LaneGradient> lanes) {
        List<LaneGradient> level = lanes;
        while (level.size() > 1) {
            List<LaneGradient> next = new ArrayList<>();
            for (int i = 0; i < level.size(); i += 2) {
                next.add(i + 1 < level.size() ? level.get(i).plus(level.get(i + 1)) : level.get(i));
            }
            level = next;
        }
        return level.get(0);
    }

    private LaneGradient plus(LaneGradient other) {
        float[] sum = new float[gradient.length];
        for (int i = 0; i < sum.length; i++) {
            sum[i] = gradient[i] + other.gradient[i];
        }
        return new LaneGradient(loss + other.loss, sum);
    }
}
