package dev.gptq.graph;

import java.io.Serializable;
import java.util.Arrays;

/**
 * Where the samples of a batch lie in a tensor that does not begin with them: attention computes on [positions, samples,
 * features], and linear layers behind it on [positions * samples, features].
 *
 * @param axis the dimension that they share or have for themselves
 * @param innermost of a dimension with other things in it, whether samples alternate fastest
 */
public record SamplePlace(int axis, boolean innermost) implements Serializable {
    /** Where tensors have their samples as a rule; a dimension that is larger than the batch has so many rows of each. */
    public static final SamplePlace FIRST = new SamplePlace(0, false);

    /** How many times the whole batch follows upon itself in a tensor of {@code shape}; 0 when the place is none in it. */
    public long blocks(long[] shape, long samples) {
        if (axis >= shape.length || shape[axis] % samples != 0) {
            return 0;
        }
        long before = TensorData.elementCount(Arrays.copyOf(shape, axis));
        return innermost ? before * (shape[axis] / samples) : before;
    }
}
