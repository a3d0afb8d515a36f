package dev.gptq.mixedprecision;

import dev.gptq.mixedprecision.SearchProblem.Choice;
import dev.gptq.mixedprecision.SearchProblem.Group;
import dev.gptq.mixedprecision.SearchProblem.Mode;
import dev.gptq.mixedprecision.SearchProblem.Option;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Solves a {@link SearchProblem} by dynamic programming over groups: a state is what has been chosen so far. States are
 * dropped that use and cost no less than another one, that cannot be completed within the budgets, or whose cost with the
 * {@link LagrangianBound} of what is left is no better than a greedy choice; so the best choice is found as a rule with few
 * states. Where there would be too many, the most promising ones are kept, and the bound says how far from the best choice
 * the result may be. Depends on nothing but the problem.
 */
final class BudgetSearch {
    private static final int MAX_STATES = 5000;

    private final SearchProblem problem;
    private final int maxStates;
    private final LagrangianBound.Bound bound;
    private final double budgetPrice;
    /** Of the groups from each one on: least priced cost, and least use. */
    private final double[] boundFrom;

    private final long[][] leastFrom;
    private final Choice greedy;
    private final double greedyCost;
    private boolean exact = true;

    private BudgetSearch(SearchProblem problem, int maxStates) {
        this.problem = problem;
        this.maxStates = maxStates;
        this.bound = LagrangianBound.of(problem);
        this.budgetPrice = LagrangianBound.price(problem.budgets(), bound.prices()) + bound.margin();
        int groups = problem.groups().size();
        this.boundFrom = new double[groups + 1];
        this.leastFrom = new long[groups + 1][problem.resources()];
        for (int group = groups - 1; group >= 0; group--) {
            Group left = problem.groups().get(group);
            boundFrom[group] = boundFrom[group + 1] + LagrangianBound.least(left, bound.prices());
            SearchProblem.add(leastFrom[group], leastFrom[group + 1]);
            SearchProblem.add(leastFrom[group], left.modes().get(0).base().use());
            for (List<Option> part : left.modes().get(0).parts()) {
                SearchProblem.add(leastFrom[group], part.get(0).use());
            }
        }
        this.greedy = GreedySearch.of(problem, bound.prices());
        this.greedyCost = problem.cost(greedy);
    }

    /**
     * The result.
     *
     * @param lowerBound no choice within the budgets costs less
     * @param optimal whether no choice within the budgets costs less than this one; the bound is its cost then
     */
    record Solution(Choice choice, double cost, double lowerBound, boolean optimal) {}

    /** @throws IllegalArgumentException when not even the least choice keeps the budgets */
    static Solution solve(SearchProblem problem) {
        return solve(problem, MAX_STATES);
    }

    static Solution solve(SearchProblem problem, int maxStates) {
        if (!problem.fits(problem.use(problem.least()))) {
            throw new IllegalArgumentException("The budgets are below what the least choice uses.");
        }
        return new BudgetSearch(problem, maxStates).search();
    }

    /** A partial choice; {@code choice} is the mode of a group or the option of a part, in the order of the search. */
    private record State(State before, int choice, double cost, long[] use) {
        State with(int next, Option option) {
            long[] sum = use.clone();
            SearchProblem.add(sum, option.use());
            return new State(this, next, cost + option.cost(), sum);
        }
    }

    private Solution search() {
        List<State> states = List.of(new State(null, -1, 0, new long[problem.resources()]));
        for (int group = 0; group < problem.groups().size(); group++) {
            List<Mode> modes = problem.groups().get(group).modes();
            List<State> next = new ArrayList<>();
            for (int mode = 0; mode < modes.size(); mode++) {
                next.addAll(expand(states, modes.get(mode), mode, group));
            }
            states = kept(next, boundFrom[group + 1]);
        }
        State best =
                states.stream().min(Comparator.comparingDouble(State::cost)).orElse(null);
        Choice choice = best == null || best.cost >= greedyCost ? greedy : choice(best);
        double cost = problem.cost(choice);
        return new Solution(choice, cost, exact ? cost : Math.min(cost, Math.max(0, bound.value())), exact);
    }

    private List<State> expand(List<State> states, Mode mode, int index, int group) {
        List<List<Option>> parts = mode.parts();
        double[] boundLeft = new double[parts.size() + 1];
        long[][] leastLeft = new long[parts.size() + 1][];
        boundLeft[parts.size()] = boundFrom[group + 1];
        leastLeft[parts.size()] = leastFrom[group + 1];
        for (int part = parts.size() - 1; part >= 0; part--) {
            List<Option> options = parts.get(part);
            Option cheapest = options.get(LagrangianBound.cheapest(options, bound.prices()));
            boundLeft[part] = boundLeft[part + 1] + LagrangianBound.priced(cheapest, bound.prices());
            leastLeft[part] = leastLeft[part + 1].clone();
            SearchProblem.add(leastLeft[part], options.get(0).use());
        }
        List<State> current = new ArrayList<>();
        for (State state : states) {
            addIfPromising(current, state.with(index, mode.base()), boundLeft[0], leastLeft[0]);
        }
        for (int part = 0; part < parts.size(); part++) {
            List<State> next = new ArrayList<>();
            for (State state : current) {
                for (int option = 0; option < parts.get(part).size(); option++) {
                    State further = state.with(option, parts.get(part).get(option));
                    addIfPromising(next, further, boundLeft[part + 1], leastLeft[part + 1]);
                }
            }
            current = kept(next, boundLeft[part + 1]);
        }
        return current;
    }

    private void addIfPromising(List<State> states, State state, double boundLeft, long[] leastLeft) {
        for (int resource = 0; resource < leastLeft.length; resource++) {
            if (state.use[resource] + leastLeft[resource] > problem.budgets()[resource]) {
                return;
            }
        }
        if (lowerBound(state, boundLeft) < greedyCost) {
            states.add(state);
        }
    }

    private double lowerBound(State state, double boundLeft) {
        return state.cost + LagrangianBound.price(state.use, bound.prices()) + boundLeft - budgetPrice;
    }

    /** The states that none other makes superfluous, and of those no more than there may be. */
    private List<State> kept(List<State> states, double boundLeft) {
        List<State> kept = DominanceFilter.apply(states, State::cost, State::use);
        if (kept.size() <= maxStates) {
            return kept;
        }
        exact = false;
        kept.sort(Comparator.comparingDouble(state -> lowerBound(state, boundLeft)));
        return new ArrayList<>(kept.subList(0, maxStates));
    }

    private Choice choice(State last) {
        List<Integer> order = new ArrayList<>();
        for (State state = last; state.before != null; state = state.before) {
            order.add(0, state.choice);
        }
        Choice choice = problem.least();
        int next = 0;
        for (int group = 0; group < choice.modes().length; group++) {
            choice.modes()[group] = order.get(next++);
            for (int part = 0; part < choice.options()[group].length; part++) {
                choice.options()[group][part] = order.get(next++);
            }
        }
        return choice;
    }
}
