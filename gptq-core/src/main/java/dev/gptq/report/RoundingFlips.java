package dev.gptq.report;

import dev.gptq.calibrate.QuantizedLayer;
import java.util.ArrayList;
import java.util.List;

/**
 * How far learned rounding is from rounding to nearest in one layer.
 *
 * @param weights elements of the kernel
 * @param up elements whose integer is larger than the nearest one
 * @param down elements whose integer is smaller
 */
public record RoundingFlips(String layer, long weights, long up, long down) {
    /** One per layer; both lists are of the same layers in the same order. */
    public static List<RoundingFlips> of(List<QuantizedLayer> nearest, List<QuantizedLayer> learned) {
        List<RoundingFlips> flips = new ArrayList<>();
        for (int layer = 0; layer < nearest.size(); layer++) {
            int[] before = nearest.get(layer).values();
            int[] after = learned.get(layer).values();
            long up = 0;
            long down = 0;
            for (int i = 0; i < before.length; i++) {
                up += after[i] > before[i] ? 1 : 0;
                down += after[i] < before[i] ? 1 : 0;
            }
            flips.add(new RoundingFlips(nearest.get(layer).point().name(), before.length, up, down));
        }
        return flips;
    }

    /** Share of elements whose integer is not the nearest one. */
    double share() {
        return weights == 0 ? 0 : (double) (up + down) / weights;
    }
}
