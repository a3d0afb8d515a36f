package dev.gptq.mixedprecision;

import dev.gptq.GptqException;
import dev.gptq.config.MixedPrecisionConfig.Budget;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The budget of a configuration as limits on whole numbers: bits of weights, bits of activation values, bit operations.
 *
 * @param name the configuration's key
 * @param limit as configured
 * @param unit what one unit of {@code limit} is in these numbers
 */
record Limits(String name, double limit, double unit, Kind kind) {
    private static final double REFERENCE_BITS = 8;
    /** Keeps what is whole in decimal, such as 4.4 times 10, from being rounded down. */
    private static final double ROUNDING = 1 + 1e-12;

    enum Kind {
        WEIGHTS,
        ACTIVATIONS,
        OPERATIONS
    }

    /** @param values all activation values of the measured samples; {@code multiplications} likewise */
    static List<Limits> of(Budget budget, BitChoices choices, double values, double multiplications) {
        List<Limits> limits = new ArrayList<>(ofWeights(budget, choices));
        if (budget.activationsBits() != null) {
            limits.add(new Limits("activations_bits", budget.activationsBits(), values, Kind.ACTIVATIONS));
        }
        if (budget.bitOperations() != null) {
            double reference = multiplications * REFERENCE_BITS * REFERENCE_BITS;
            limits.add(new Limits("bit_operations", budget.bitOperations(), reference, Kind.OPERATIONS));
        }
        return limits;
    }

    private static List<Limits> ofWeights(Budget budget, BitChoices choices) {
        List<Limits> limits = new ArrayList<>();
        if (budget.size() != null) {
            limits.add(new Limits("size", budget.size(), Byte.SIZE, Kind.WEIGHTS));
        }
        if (budget.weightsBits() != null) {
            limits.add(new Limits("weights_bits", budget.weightsBits(), choices.weights(), Kind.WEIGHTS));
        }
        return limits;
    }

    /** @throws GptqException BAD_INPUT when {@code leastBits} of all kernels are more than the budget allows */
    static void requirePossible(Budget budget, BitChoices choices, long leastBits) {
        ofWeights(budget, choices).forEach(limit -> limit.requirePossible(leastBits));
    }

    /** @throws GptqException BAD_INPUT with the smallest possible limit */
    void requirePossible(long least) {
        if (least > budget()) {
            throw GptqException.badInput(
                    "Cannot keep quantization.mixed_precision.budget.%s at %s: the smallest possible is %s, with the least"
                            + " bits in every layer. Raise the budget, or give the layers fewer bits to choose from.",
                    name,
                    shown(limit),
                    shown(kind == Kind.WEIGHTS && unit == Byte.SIZE ? Math.ceil(least / unit) : least / unit));
        }
    }

    /** The limit in bits or bit operations. */
    long budget() {
        return (long) Math.min(Long.MAX_VALUE, Math.floor(limit * unit * ROUNDING));
    }

    private static String shown(double value) {
        return value == Math.rint(value)
                ? String.format(Locale.ROOT, "%.0f", value)
                // Rounded up, so that the number shown is one that can be kept.
                : String.format(Locale.ROOT, "%.4f", Math.ceil(value * 1e4) / 1e4);
    }
}
