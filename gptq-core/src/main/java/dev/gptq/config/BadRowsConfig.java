package dev.gptq.config;

import java.io.Serializable;
import java.util.Locale;

/**
 * What becomes of rows that cannot be used: broken images, nulls, arrays of another shape, values that are not finite.
 *
 * @param budget rows that may be left out before the run fails: a whole number of rows from 1 up, or a fraction of the
 *     rows below 1
 */
public record BadRowsConfig(Policy policy, double budget) implements Serializable {
    static final double DEFAULT_BUDGET = 0.01;

    /** What is done with a bad row. */
    public enum Policy {
        /** The run ends with file and row. */
        FAIL,
        /** It is left out and counted. */
        SKIP,
        /** It is left out, counted, and listed with its reason in the run directory. */
        QUARANTINE;

        /** The name in a configuration. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public BadRowsConfig {
        Check.given(policy, "bad_rows", "Use fail, skip or quarantine");
        Check.that(
                budget >= 0 && (budget < 1 || budget == Math.rint(budget)) && Double.isFinite(budget),
                "bad_rows_budget",
                budget,
                "it is neither a fraction below 1 nor a whole number of rows",
                "Use for example " + DEFAULT_BUDGET + " for one row in a hundred, or 100 for a hundred rows");
    }

    /** The first bad row ends the run. */
    public static BadRowsConfig fail() {
        return new BadRowsConfig(Policy.FAIL, DEFAULT_BUDGET);
    }

    /** How many of {@code rows} may be left out. */
    public long allowed(long rows) {
        if (policy == Policy.FAIL) {
            return 0;
        }
        return budget < 1 ? (long) (budget * rows) : (long) budget;
    }
}
