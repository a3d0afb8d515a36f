package dev.gptq.mixedprecision;

import ai.djl.ndarray.NDArray;
import dev.gptq.hessian.GradientSums;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Adds up the squares of (gradient . error), for each variable and choice the sum of products over its terms. */
final class Projections implements GradientSums {
    /**
     * One product.
     *
     * @param input index of the array whose gradient is multiplied
     * @param error of the array's shape
     */
    record Term(int input, NDArray error) {}

    private final List<NDArray> inputs = new ArrayList<>();
    private final List<List<List<Term>>> variables = new ArrayList<>();
    private final List<double[]> sums = new ArrayList<>();

    /** Takes an array whose gradient is needed; returns its index. */
    int input(NDArray array) {
        for (int i = 0; i < inputs.size(); i++) {
            if (inputs.get(i) == array) {
                return i;
            }
        }
        inputs.add(array);
        return inputs.size() - 1;
    }

    /** Adds a variable with the terms of each of its choices. */
    void variable(List<List<Term>> choices) {
        variables.add(choices);
        sums.add(new double[choices.size()]);
    }

    @Override
    public List<NDArray> inputs() {
        return inputs;
    }

    @Override
    public void add(List<NDArray> gradients) {
        for (int variable = 0; variable < variables.size(); variable++) {
            List<List<Term>> choices = variables.get(variable);
            for (int choice = 0; choice < choices.size(); choice++) {
                double product = 0;
                for (Term term : choices.get(choice)) {
                    product += product(gradients.get(term.input), term.error);
                }
                sums.get(variable)[choice] += product * product;
            }
        }
    }

    private static double product(NDArray gradient, NDArray error) {
        try (NDArray products = gradient.mul(error);
                NDArray flat = products.flatten();
                NDArray sum = flat.sum()) {
            return sum.getFloat();
        }
    }

    @Override
    public double[] meanByPoint(int passes) {
        return sums.stream()
                .mapToDouble(sum -> Arrays.stream(sum).sum() / Math.max(1, sum.length) / passes)
                .toArray();
    }

    /** The sums divided by {@code divisor}: [variable][choice]. */
    double[][] finish(int divisor) {
        double[][] means = new double[sums.size()][];
        for (int variable = 0; variable < means.length; variable++) {
            means[variable] =
                    Arrays.stream(sums.get(variable)).map(sum -> sum / divisor).toArray();
        }
        return means;
    }
}
