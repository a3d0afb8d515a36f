package dev.gptq.train;

import java.io.Serializable;

/**
 * A lane's share of the step's mean loss and its gradient with respect to {@link StudentParameters#values}. Lanes are
 * weighted by their sample count already, so the global loss and gradient are plain sums over lanes.
 */
public record LaneGradient(double loss, float[] gradient) implements Serializable {
    /** Sums lanes in lane order by a fixed binary tree (0+1, 2+3, ...), element by element in float32. */
    public static LaneGradient fold(java.util.List<LaneGradient> lanes) {
        throw new UnsupportedOperationException();
    }
}
