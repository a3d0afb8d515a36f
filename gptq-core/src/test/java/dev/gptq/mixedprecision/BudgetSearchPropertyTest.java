package dev.gptq.mixedprecision;

import dev.gptq.mixedprecision.SearchProblem.Choice;
import dev.gptq.mixedprecision.SearchProblem.Group;
import dev.gptq.mixedprecision.SearchProblem.Mode;
import dev.gptq.mixedprecision.SearchProblem.Option;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.assertj.core.data.Offset;

import static org.assertj.core.api.Assertions.assertThat;

class BudgetSearchPropertyTest {
    private static final double ROUNDING = 1e-9;

    @Property(tries = 300)
    void theChoiceIsAsGoodAsTheBestOfAll(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 3) int resources,
            @ForAll @IntRange(max = 10) int slack) {
        SearchProblem problem = random(seed, 5, resources, slack / 10.0);

        BudgetSearch.Solution found = BudgetSearch.solve(problem);

        assertThat(found.optimal()).isTrue();
        assertThat(problem.fits(problem.use(found.choice()))).isTrue();
        assertThat(found.cost()).isEqualTo(problem.cost(found.choice()));
        assertThat(found.cost()).isCloseTo(bruteForce(problem), within(problem));
    }

    @Property(tries = 200)
    void theBoundIsBelowEveryChoiceWithinTheBudgets(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 3) int resources,
            @ForAll @IntRange(max = 10) int slack) {
        SearchProblem problem = random(seed, 5, resources, slack / 10.0);

        LagrangianBound.Bound bound = LagrangianBound.of(problem);

        assertThat(bound.value()).isLessThanOrEqualTo(bruteForce(problem) + 1e-9);
        assertThat(bound.prices()).hasSize(resources);
        for (double price : bound.prices()) {
            assertThat(price).isNotNegative();
        }
    }

    @Property(tries = 100)
    void withFewStatesTheBudgetsAndTheBoundStillHold(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 2) int resources,
            @ForAll @IntRange(max = 10) int slack) {
        SearchProblem problem = random(seed, 5, resources, slack / 10.0);

        BudgetSearch.Solution found = BudgetSearch.solve(problem, 1);

        double best = bruteForce(problem);
        assertThat(problem.fits(problem.use(found.choice()))).isTrue();
        assertThat(found.cost()).isGreaterThanOrEqualTo(best - ROUNDING);
        assertThat(found.lowerBound()).isLessThanOrEqualTo(best + ROUNDING);
        if (found.optimal()) {
            assertThat(found.cost()).isCloseTo(best, within(problem));
        }
    }

    /** Hundreds of layers, as large models have. */
    @Property(tries = 5)
    void aLargeProblemEndsCloseToItsBound(@ForAll long seed, @ForAll @IntRange(min = 1, max = 2) int resources) {
        SearchProblem problem = random(seed, 200, resources, 0.4);

        BudgetSearch.Solution found = BudgetSearch.solve(problem);

        assertThat(problem.fits(problem.use(found.choice()))).isTrue();
        double bound = LagrangianBound.of(problem).value();
        assertThat(found.lowerBound()).isGreaterThanOrEqualTo(bound);
        assertThat((found.cost() - bound) / found.cost()).isBetween(0.0, 0.02);
    }

    private static Offset<Double> within(SearchProblem problem) {
        return Offset.offset(ROUNDING * (1 + problem.cost(problem.least())));
    }

    /**
     * Groups of one to two modes and up to two parts; {@code slack} of the way from the least to the largest use is allowed.
     */
    private static SearchProblem random(long seed, int groups, int resources, double slack) {
        Random random = new Random(seed);
        List<Group> all = new ArrayList<>();
        for (int g = 0; g < groups; g++) {
            int parts = random.nextInt(3);
            int modes = 1 + random.nextInt(2);
            List<Mode> list = new ArrayList<>();
            for (int m = 0; m < modes; m++) {
                List<List<Option>> options = new ArrayList<>();
                for (int part = 0; part < parts; part++) {
                    options.add(options(new Random(seed + 31 * g + part), 1 + (g + part) % 3, resources, m + 1));
                }
                double cost = (modes - m) * random.nextDouble();
                long[] use = new long[resources];
                Arrays.fill(use, 5L * m);
                list.add(new Mode(new Option(cost, use), options));
            }
            all.add(new Group(list));
        }
        SearchProblem unlimited = new SearchProblem(all, new long[resources]);
        long[] least = unlimited.use(unlimited.least());
        long[] most = unlimited.use(most(unlimited));
        long[] budgets = new long[resources];
        for (int resource = 0; resource < resources; resource++) {
            budgets[resource] = least[resource] + (long) (slack * (most[resource] - least[resource]));
        }
        return new SearchProblem(all, budgets);
    }

    private static List<Option> options(Random random, int count, int resources, int factor) {
        List<Option> options = new ArrayList<>();
        long[] use = new long[resources];
        for (int option = 0; option < count; option++) {
            long[] more = use.clone();
            for (int resource = 0; resource < resources; resource++) {
                more[resource] += random.nextInt(20);
            }
            use = more;
            long[] scaled = more.clone();
            for (int resource = 0; resource < resources; resource++) {
                scaled[resource] *= factor;
            }
            // As a rule, but not always, more use costs less.
            options.add(new Option(random.nextDouble() * Math.pow(0.3, option), scaled));
        }
        return options;
    }

    private static Choice most(SearchProblem problem) {
        Choice choice = problem.least();
        for (int group = 0; group < choice.modes().length; group++) {
            List<Mode> modes = problem.groups().get(group).modes();
            choice.modes()[group] = modes.size() - 1;
            List<List<Option>> parts = modes.get(modes.size() - 1).parts();
            for (int part = 0; part < parts.size(); part++) {
                choice.options()[group][part] = parts.get(part).size() - 1;
            }
        }
        return choice;
    }

    private static double bruteForce(SearchProblem problem) {
        return bruteForce(problem, 0, 0, new long[problem.resources()]);
    }

    /** The least cost with every choice of the groups from {@code group} on. */
    private static double bruteForce(SearchProblem problem, int group, double cost, long[] use) {
        if (group == problem.groups().size()) {
            return problem.fits(use) ? cost : Double.POSITIVE_INFINITY;
        }
        double best = Double.POSITIVE_INFINITY;
        for (Mode mode : problem.groups().get(group).modes()) {
            best = Math.min(
                    best, ofParts(problem, group, mode, 0, cost + mode.base().cost(), sum(use, mode.base())));
        }
        return best;
    }

    private static double ofParts(SearchProblem problem, int group, Mode mode, int part, double cost, long[] use) {
        if (part == mode.parts().size()) {
            return bruteForce(problem, group + 1, cost, use);
        }
        double best = Double.POSITIVE_INFINITY;
        for (Option option : mode.parts().get(part)) {
            best = Math.min(best, ofParts(problem, group, mode, part + 1, cost + option.cost(), sum(use, option)));
        }
        return best;
    }

    private static long[] sum(long[] use, Option option) {
        long[] sum = use.clone();
        SearchProblem.add(sum, option.use());
        return sum;
    }
}
