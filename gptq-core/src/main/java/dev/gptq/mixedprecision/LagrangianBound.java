package dev.gptq.mixedprecision;

import dev.gptq.mixedprecision.SearchProblem.Choice;
import dev.gptq.mixedprecision.SearchProblem.Group;
import dev.gptq.mixedprecision.SearchProblem.Mode;
import dev.gptq.mixedprecision.SearchProblem.Option;
import java.util.List;

/**
 * A lower bound on the cost of any choice within the budgets. With prices on resources instead of budgets, groups are
 * independent: D(p) = sum over groups of the least (cost + p . use), minus p . budgets, is below the cost of every choice
 * that fits, for any prices p from 0 up. The largest D is the bound of the linear relaxation (Geoffrion, 1974), because a
 * single group's problem has whole-numbered vertices.
 *
 * <p>D is concave, so each price is found by a golden-section search over its logarithm, those of further resources inside
 * it.
 */
final class LagrangianBound {
    private static final double GOLDEN = (Math.sqrt(5) - 1) / 2;
    /** Prices searched, as multiples of the range of costs per budget: from worth nothing to worth more than anything. */
    private static final double LOWEST = Math.log(1e-12);

    private static final double HIGHEST = Math.log(1e6);
    /** Of what the budgets cost: more than sums and products of floating point numbers are off. */
    private static final double ROUNDING = 1e-14;

    private static final int[] ITERATIONS = {0, 100, 60, 40};

    private final SearchProblem problem;
    private final double[] units;
    private final int iterations;
    private double[] best;
    private double largest = Double.NEGATIVE_INFINITY;

    private LagrangianBound(SearchProblem problem) {
        this.problem = problem;
        this.units = new double[problem.resources()];
        this.best = new double[problem.resources()];
        this.iterations = ITERATIONS[Math.min(problem.resources(), ITERATIONS.length - 1)];
        double range = range();
        for (int resource = 0; resource < units.length; resource++) {
            units[resource] = range / Math.max(1, problem.budgets()[resource]);
        }
    }

    /**
     * Prices and the bound they give.
     *
     * @param prices by resource
     * @param margin by how much rounding may have moved sums of costs and prices; it is taken off the value
     */
    record Bound(double[] prices, double value, double margin) {}

    static Bound of(SearchProblem problem) {
        LagrangianBound search = new LagrangianBound(problem);
        double[] prices = new double[problem.resources()];
        search.evaluate(prices);
        search.maximize(prices, 0);
        return new Bound(search.best, search.largest, search.margin(search.best));
    }

    /** The difference between the dearest and the cheapest choice, whatever they use. */
    private double range() {
        double range = 0;
        for (Group group : problem.groups()) {
            double least = Double.POSITIVE_INFINITY;
            double most = 0;
            for (Mode mode : group.modes()) {
                double low = mode.base().cost();
                double high = mode.base().cost();
                for (List<Option> part : mode.parts()) {
                    low += part.stream().mapToDouble(Option::cost).min().orElse(0);
                    high += part.stream().mapToDouble(Option::cost).max().orElse(0);
                }
                least = Math.min(least, low);
                most = Math.max(most, high);
            }
            range += most - least;
        }
        return Math.max(range, Double.MIN_NORMAL);
    }

    /** The largest value over the prices from {@code resource} on, those before it fixed. */
    private double maximize(double[] prices, int resource) {
        if (resource == prices.length) {
            return evaluate(prices);
        }
        double low = LOWEST;
        double high = HIGHEST;
        double left = high - GOLDEN * (high - low);
        double right = low + GOLDEN * (high - low);
        double atLeft = at(prices, resource, left);
        double atRight = at(prices, resource, right);
        for (int i = 0; i < iterations; i++) {
            // Equal values far below the maximum differ by less than their rounding: the maximum is at higher prices.
            if (atLeft > atRight) {
                high = right;
                right = left;
                atRight = atLeft;
                left = high - GOLDEN * (high - low);
                atLeft = at(prices, resource, left);
            } else {
                low = left;
                left = right;
                atLeft = atRight;
                right = low + GOLDEN * (high - low);
                atRight = at(prices, resource, right);
            }
        }
        return Math.max(atLeft, atRight);
    }

    private double at(double[] prices, int resource, double logarithm) {
        prices[resource] = units[resource] * Math.exp(logarithm);
        return maximize(prices, resource + 1);
    }

    private double evaluate(double[] prices) {
        double value = 0;
        for (Group group : problem.groups()) {
            value += least(group, prices);
        }
        value -= price(problem.budgets(), prices) + margin(prices);
        if (value > largest) {
            largest = value;
            best = prices.clone();
        }
        return value;
    }

    private double margin(double[] prices) {
        return ROUNDING * price(problem.budgets(), prices);
    }

    /** The least cost of a group with what it uses paid for. */
    static double least(Group group, double[] prices) {
        double least = Double.POSITIVE_INFINITY;
        for (Mode mode : group.modes()) {
            double sum = priced(mode.base(), prices);
            for (List<Option> part : mode.parts()) {
                sum += priced(part.get(cheapest(part, prices)), prices);
            }
            least = Math.min(least, sum);
        }
        return least;
    }

    /** What every group would choose at these prices; the first of equals. */
    static Choice choice(SearchProblem problem, double[] prices) {
        Choice choice = problem.least();
        for (int group = 0; group < choice.modes().length; group++) {
            double least = Double.POSITIVE_INFINITY;
            List<Mode> modes = problem.groups().get(group).modes();
            for (int m = 0; m < modes.size(); m++) {
                List<List<Option>> parts = modes.get(m).parts();
                int[] options = new int[parts.size()];
                double sum = priced(modes.get(m).base(), prices);
                for (int part = 0; part < options.length; part++) {
                    options[part] = cheapest(parts.get(part), prices);
                    sum += priced(parts.get(part).get(options[part]), prices);
                }
                if (sum < least) {
                    least = sum;
                    choice.modes()[group] = m;
                    choice.options()[group] = options;
                }
            }
        }
        return choice;
    }

    static int cheapest(List<Option> part, double[] prices) {
        int cheapest = 0;
        for (int option = 1; option < part.size(); option++) {
            if (priced(part.get(option), prices) < priced(part.get(cheapest), prices)) {
                cheapest = option;
            }
        }
        return cheapest;
    }

    static double priced(Option option, double[] prices) {
        return option.cost() + price(option.use(), prices);
    }

    static double price(long[] use, double[] prices) {
        double price = 0;
        for (int resource = 0; resource < prices.length; resource++) {
            price += prices[resource] * use[resource];
        }
        return price;
    }
}
