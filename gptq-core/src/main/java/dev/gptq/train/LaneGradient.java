package dev.gptq.train;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A lane's share of the step's mean loss and its gradient with respect to {@link StudentParameters#values}. Lanes are
 * weighted by their sample count already, so the global losses and gradient are plain sums over lanes.
 *
 * @param losses the share of the loss, then each layer's part of it where the loss tells them
 */
public record LaneGradient(double[] losses, float[] gradient) implements Serializable {
    /** Without the parts of layers. */
    public LaneGradient(double loss, float[] gradient) {
        this(new double[] {loss}, gradient);
    }

    /** The share of the loss. */
    public double loss() {
        return losses[0];
    }

    /** Each layer's part of the loss in the order of the compare points; empty when the loss does not tell them. */
    public static double[] layers(double[] losses) {
        return Arrays.copyOfRange(losses, 1, losses.length);
    }

    /** The sums of two lanes' losses: one node of the tree that losses are folded by. */
    public static double[] sum(double[] earlier, double[] later) {
        double[] sum = new double[earlier.length];
        for (int i = 0; i < sum.length; i++) {
            sum[i] = earlier[i] + later[i];
        }
        return sum;
    }

    /**
     * Sums lanes in lane order by a fixed binary tree ((0+1)+(2+3), a lane without partner moves up as it is), element by
     * element, losses in float64 and the gradient in float32. The arguments do not change.
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

    /** The sum of this and the lanes after it, element by element: one node of {@link #fold}'s tree. */
    public LaneGradient plus(LaneGradient other) {
        float[] sum = new float[gradient.length];
        for (int i = 0; i < sum.length; i++) {
            sum[i] = gradient[i] + other.gradient[i];
        }
        return new LaneGradient(sum(losses, other.losses), sum);
    }

    /** Elements [from, to) of the gradient, with the whole losses; slices fold to the slice of the fold. */
    public LaneGradient slice(int from, int to) {
        return new LaneGradient(losses, Arrays.copyOfRange(gradient, from, to));
    }

    /** Puts folded slices together again, in the order given; losses are the first one's, as every slice has them. */
    public static LaneGradient join(List<LaneGradient> slices) {
        int length = slices.stream().mapToInt(slice -> slice.gradient.length).sum();
        float[] joined = new float[length];
        int position = 0;
        for (LaneGradient slice : slices) {
            System.arraycopy(slice.gradient, 0, joined, position, slice.gradient.length);
            position += slice.gradient.length;
        }
        return new LaneGradient(slices.get(0).losses, joined);
    }
}
