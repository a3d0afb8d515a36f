package dev.gptq.mixedprecision;

import dev.gptq.mixedprecision.SearchProblem.Choice;
import dev.gptq.mixedprecision.SearchProblem.Mode;
import dev.gptq.mixedprecision.SearchProblem.Option;
import java.util.List;

/** A good choice within the budgets: change by change, the one that saves most cost for what it uses. */
final class GreedySearch {
    private static final double STEEPER = 1.1;
    private static final int MAX_RISES = 1000;

    private final SearchProblem problem;

    private GreedySearch(SearchProblem problem) {
        this.problem = problem;
    }

    /** The better of two: from the least choice, and from what groups choose at prices that keep them within budgets. */
    static Choice of(SearchProblem problem, double[] prices) {
        GreedySearch search = new GreedySearch(problem);
        Choice fromLeast = search.improve(problem.least());
        double[] rising = prices.clone();
        Choice priced = LagrangianBound.choice(problem, rising);
        for (int i = 0; i < MAX_RISES && !problem.fits(problem.use(priced)); i++) {
            for (int resource = 0; resource < rising.length; resource++) {
                rising[resource] *= STEEPER;
            }
            priced = LagrangianBound.choice(problem, rising);
        }
        if (!problem.fits(problem.use(priced))) {
            return fromLeast;
        }
        Choice fromPrices = search.improve(priced);
        return problem.cost(fromPrices) < problem.cost(fromLeast) ? fromPrices : fromLeast;
    }

    private Choice improve(Choice start) {
        Choice choice = start.copy();
        long[] use = problem.use(choice);
        while (true) {
            Change best = null;
            for (int group = 0; group < choice.modes().length; group++) {
                List<Mode> modes = problem.groups().get(group).modes();
                int current = choice.modes()[group];
                for (int mode = 0; mode < modes.size(); mode++) {
                    best = better(best, changeOfMode(choice, group, current, mode), use);
                }
                List<List<Option>> parts = modes.get(current).parts();
                for (int part = 0; part < parts.size(); part++) {
                    Option from = parts.get(part).get(choice.options()[group][part]);
                    for (int option = 0; option < parts.get(part).size(); option++) {
                        Option to = parts.get(part).get(option);
                        best = better(
                                best,
                                new Change(
                                        group, part, option, to.cost() - from.cost(), difference(to.use(), from.use())),
                                use);
                    }
                }
            }
            if (best == null) {
                return choice;
            }
            if (best.part < 0) {
                choice.modes()[best.group] = best.to;
            } else {
                choice.options()[best.group][best.part] = best.to;
            }
            SearchProblem.add(use, best.use);
        }
    }

    /** @param part -1: the group's mode changes */
    private record Change(int group, int part, int to, double cost, long[] use) {}

    private Change changeOfMode(Choice choice, int group, int from, int to) {
        Option before = sum(choice, group, from);
        Option after = sum(choice, group, to);
        return new Change(group, -1, to, after.cost() - before.cost(), difference(after.use(), before.use()));
    }

    private Option sum(Choice choice, int group, int index) {
        Mode mode = problem.groups().get(group).modes().get(index);
        double cost = mode.base().cost();
        long[] use = mode.base().use().clone();
        for (int part = 0; part < mode.parts().size(); part++) {
            Option option = mode.parts().get(part).get(choice.options()[group][part]);
            cost += option.cost();
            SearchProblem.add(use, option.use());
        }
        return new Option(cost, use);
    }

    private Change better(Change best, Change candidate, long[] use) {
        if (candidate.cost >= 0) {
            return best;
        }
        for (int resource = 0; resource < use.length; resource++) {
            if (use[resource] + candidate.use[resource] > problem.budgets()[resource]) {
                return best;
            }
        }
        return best == null || gain(candidate) > gain(best) ? candidate : best;
    }

    /** Cost saved per share of the budgets used. */
    private double gain(Change change) {
        double share = 0;
        for (int resource = 0; resource < change.use.length; resource++) {
            share += Math.max(0, change.use[resource]) / (double) Math.max(1, problem.budgets()[resource]);
        }
        return share == 0 ? Double.POSITIVE_INFINITY : -change.cost / share;
    }

    private static long[] difference(long[] after, long[] before) {
        long[] difference = after.clone();
        for (int resource = 0; resource < difference.length; resource++) {
            difference[resource] -= before[resource];
        }
        return difference;
    }
}
