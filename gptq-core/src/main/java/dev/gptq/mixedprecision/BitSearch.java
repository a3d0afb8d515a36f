package dev.gptq.mixedprecision;

import dev.gptq.GptqException;
import dev.gptq.config.MixedPrecisionConfig;
import dev.gptq.mixedprecision.SearchProblem.Group;
import dev.gptq.mixedprecision.SearchProblem.Mode;
import dev.gptq.mixedprecision.SearchProblem.Option;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Chooses bits: the sum over kernels and activations of the noise that each alone adds to the outputs is made as small as
 * the budget allows. Effects of several layers together are taken as the sum of their own, as errors of rounding are nearly
 * independent.
 */
public final class BitSearch {
    /** Bits of an activation that is not quantized. */
    private static final int FLOAT_BITS = 32;

    private final BitChoices choices;
    private final SensitivitySums sums;
    private final MixedPrecisionConfig config;
    private final List<Limits> limits;
    /** Resources of the problem: each kind that is limited, with the tightest limit. */
    private final List<Limits.Kind> kinds;

    private final List<Group> groups = new ArrayList<>();
    /** By group, its activation or -1, and the kernels of its parts. */
    private final List<Integer> groupActivations = new ArrayList<>();

    private final List<List<Integer>> groupKernels = new ArrayList<>();

    private BitSearch(BitChoices choices, SensitivitySums sums, MixedPrecisionConfig config) {
        this.choices = choices;
        this.sums = sums;
        this.config = config;
        this.limits = Limits.of(
                config.budget(),
                choices,
                Arrays.stream(sums.values()).sum(),
                Arrays.stream(sums.multiplications()).sum());
        this.kinds = limits.stream().map(Limits::kind).distinct().toList();
    }

    /**
     * Searches; depends on nothing but its arguments.
     *
     * @throws GptqException BAD_INPUT with the smallest possible budget when not even the least bits keep it
     */
    public static BitAssignment search(BitChoices choices, SensitivitySums sums, MixedPrecisionConfig config) {
        return new BitSearch(choices, sums, config).search();
    }

    private BitAssignment search() {
        makeGroups();
        long[] budgets = kinds.stream()
                .mapToLong(kind -> limits.stream()
                        .filter(limit -> limit.kind() == kind)
                        .mapToLong(Limits::budget)
                        .min()
                        .orElseThrow())
                .toArray();
        SearchProblem problem = new SearchProblem(groups, budgets);
        long[] least = problem.use(problem.least());
        limits.forEach(limit -> limit.requirePossible(least[kinds.indexOf(limit.kind())]));
        BudgetSearch.Solution solution = BudgetSearch.solve(problem);
        long[] use = problem.use(solution.choice());
        int[] kernels = new int[choices.kernels().size()];
        int[] activations = new int[choices.activations().size()];
        for (int group = 0; group < groups.size(); group++) {
            if (groupActivations.get(group) >= 0) {
                activations[groupActivations.get(group)] = solution.choice().modes()[group];
            }
            List<Integer> parts = groupKernels.get(group);
            for (int part = 0; part < parts.size(); part++) {
                kernels[parts.get(part)] = solution.choice().options()[group][part];
            }
        }
        return new BitAssignment(
                config.sensitivity().name().toLowerCase(Locale.ROOT),
                sums.samples(),
                solution.cost(),
                solution.lowerBound(),
                solution.cost() > 0 ? (solution.cost() - solution.lowerBound()) / solution.cost() : 0,
                limits.stream().map(limit -> used(limit, use, least)).toList(),
                layers(kernels),
                config.budget().limitsActivations() ? activations(activations) : List.of());
    }

    private BitAssignment.BudgetUse used(Limits limit, long[] use, long[] least) {
        int resource = kinds.indexOf(limit.kind());
        return new BitAssignment.BudgetUse(
                limit.name(), limit.limit(), use[resource] / limit.unit(), least[resource] / limit.unit());
    }

    private List<BitAssignment.Layer> layers(int[] chosen) {
        List<BitAssignment.Layer> layers = new ArrayList<>();
        for (int i = 0; i < chosen.length; i++) {
            BitChoices.Kernel kernel = choices.kernels().get(i);
            layers.add(new BitAssignment.Layer(
                    kernel.point().name(),
                    kernel.bits().get(chosen[i]),
                    kernel.weights(),
                    sums.multiplications()[i] / sums.samples(),
                    kernel.bits(),
                    sums.kernelNoise(i)));
        }
        return layers;
    }

    private List<BitAssignment.Activation> activations(int[] chosen) {
        List<BitAssignment.Activation> activations = new ArrayList<>();
        for (int i = 0; i < chosen.length; i++) {
            BitChoices.Activation activation = choices.activations().get(i);
            activations.add(new BitAssignment.Activation(
                    activation.name(),
                    activation.bits().get(chosen[i]),
                    sums.values()[i] / sums.samples(),
                    activation.bits(),
                    sums.activationNoise(i)));
        }
        return activations;
    }

    /** Kernels share a group with their activation where their bit operations depend on its chosen bits. */
    private void makeGroups() {
        boolean coupled = kinds.contains(Limits.Kind.OPERATIONS);
        for (int activation = 0; activation < choices.activations().size(); activation++) {
            List<Integer> kernels = new ArrayList<>();
            for (int kernel = 0; kernel < choices.kernels().size(); kernel++) {
                boolean reads = choices.kernels().get(kernel).input() == activation;
                if (coupled && reads && choices.activations().get(activation).isChosen()) {
                    kernels.add(kernel);
                }
            }
            List<Integer> bits = choices.activations().get(activation).bits();
            double[] noise = sums.activationNoise(activation);
            List<Mode> modes = new ArrayList<>();
            for (int i = 0; i < bits.size(); i++) {
                Option base = new Option(
                        noise.length == 0 ? 0 : noise[i], use(0, sums.values()[activation] * bits.get(i), 0));
                int inputBits = bits.get(i);
                modes.add(new Mode(
                        base,
                        kernels.stream()
                                .map(kernel -> options(kernel, inputBits))
                                .toList()));
            }
            add(modes, activation, kernels);
        }
        for (int kernel = 0; kernel < choices.kernels().size(); kernel++) {
            int input = choices.kernels().get(kernel).input();
            if (coupled && input >= 0 && choices.activations().get(input).isChosen()) {
                continue;
            }
            int inputBits = input < 0
                    ? FLOAT_BITS
                    : choices.activations().get(input).bits().get(0);
            Mode mode = new Mode(new Option(0, use(0, 0, 0)), List.of(options(kernel, inputBits)));
            add(List.of(mode), -1, List.of(kernel));
        }
    }

    private void add(List<Mode> modes, int activation, List<Integer> kernels) {
        groups.add(new Group(modes));
        groupActivations.add(activation);
        groupKernels.add(kernels);
    }

    private List<Option> options(int index, int inputBits) {
        BitChoices.Kernel kernel = choices.kernels().get(index);
        double[] noise = sums.kernelNoise(index);
        List<Option> options = new ArrayList<>();
        for (int i = 0; i < noise.length; i++) {
            int bits = kernel.bits().get(i);
            long[] use = use(kernel.weights() * bits, 0, sums.multiplications()[index] * bits * inputBits);
            options.add(new Option(noise[i], use));
        }
        return options;
    }

    private long[] use(long weights, long activations, long operations) {
        return kinds.stream()
                .mapToLong(kind -> switch (kind) {
                    case WEIGHTS -> weights;
                    case ACTIVATIONS -> activations;
                    case OPERATIONS -> operations;
                })
                .toArray();
    }
}
