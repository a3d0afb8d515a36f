package dev.gptq.mixedprecision;

import java.util.List;

/**
 * A multiple-choice knapsack problem: one mode of each group and one option of each of its parts are chosen, so that the
 * sum of costs is least and no resource is used above its budget. In this package a group is an activation with the kernels
 * that multiply it, its modes are the activation's bits, parts are the kernels and options their bits.
 *
 * <p>Modes, and options of a part, are in ascending order of use: none uses less of any resource than the one before.
 *
 * @param budgets by resource
 */
record SearchProblem(List<Group> groups, long[] budgets) {
    /** @param use by resource */
    record Option(double cost, long[] use) {}

    /**
     * @param base what the mode itself costs and uses
     * @param parts as many in each mode of a group, with as many options each
     */
    record Mode(Option base, List<List<Option>> parts) {}

    record Group(List<Mode> modes) {}

    /**
     * What is chosen.
     *
     * @param modes by group
     * @param options by group and part
     */
    record Choice(int[] modes, int[][] options) {
        Choice copy() {
            int[][] copies = new int[options.length][];
            for (int group = 0; group < copies.length; group++) {
                copies[group] = options[group].clone();
            }
            return new Choice(modes.clone(), copies);
        }
    }

    int resources() {
        return budgets.length;
    }

    /** The choice that uses least of every resource. */
    Choice least() {
        int[][] options = new int[groups.size()][];
        for (int group = 0; group < options.length; group++) {
            options[group] = new int[groups.get(group).modes().get(0).parts().size()];
        }
        return new Choice(new int[groups.size()], options);
    }

    double cost(Choice choice) {
        double cost = 0;
        for (int group = 0; group < groups.size(); group++) {
            Mode mode = groups.get(group).modes().get(choice.modes()[group]);
            cost += mode.base().cost();
            for (int part = 0; part < mode.parts().size(); part++) {
                cost += mode.parts()
                        .get(part)
                        .get(choice.options()[group][part])
                        .cost();
            }
        }
        return cost;
    }

    /** By resource, what a choice uses. */
    long[] use(Choice choice) {
        long[] use = new long[resources()];
        for (int group = 0; group < groups.size(); group++) {
            Mode mode = groups.get(group).modes().get(choice.modes()[group]);
            add(use, mode.base().use());
            for (int part = 0; part < mode.parts().size(); part++) {
                add(
                        use,
                        mode.parts()
                                .get(part)
                                .get(choice.options()[group][part])
                                .use());
            }
        }
        return use;
    }

    boolean fits(long[] use) {
        for (int resource = 0; resource < use.length; resource++) {
            if (use[resource] > budgets[resource]) {
                return false;
            }
        }
        return true;
    }

    static void add(long[] sum, long[] terms) {
        for (int resource = 0; resource < sum.length; resource++) {
            sum[resource] += terms[resource];
        }
    }
}
