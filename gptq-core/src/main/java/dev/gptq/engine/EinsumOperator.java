package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import dev.gptq.graph.Node;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Einsum of one or two tensors, as sums, permutations and one batched matrix product. */
final class EinsumOperator {
    private static final int OPERANDS = 2;

    private EinsumOperator() {}

    static void addTo(Map<String, Operator> table) {
        table.put("Einsum", EinsumOperator::apply);
    }

    /** Whether the equation has an explicit result, no ellipsis, no letter twice in a term, and one or two terms. */
    static boolean handles(Node node) {
        String equation = equation(node);
        String[] sides = equation.split("->", -1);
        if (sides.length != 2 || equation.contains(".") || node.inputs().size() > OPERANDS) {
            return false;
        }
        return Arrays.stream(equation.split("->|,"))
                .allMatch(term -> term.chars().distinct().count() == term.length());
    }

    private static String equation(Node node) {
        return node.text("equation", "").replace(" ", "");
    }

    private static NDArray apply(Call call) {
        String[] sides = equation(call.node()).split("->", -1);
        String[] terms = sides[0].split(",", -1);
        String result = sides[1];
        Map<Character, Long> sizes = new HashMap<>();
        for (int i = 0; i < terms.length; i++) {
            for (int j = 0; j < terms[i].length(); j++) {
                sizes.put(terms[i].charAt(j), call.shape(i)[j]);
            }
        }
        if (terms.length == 1) {
            return permute(sumMissing(call.x(), terms[0], result), common(terms[0], result, true), result);
        }
        String left = common(terms[0], terms[1] + result, true);
        String right = common(terms[1], terms[0] + result, true);
        NDArray a = sumMissing(call.input(0), terms[0], left);
        NDArray b = sumMissing(call.input(1), terms[1], right);
        String shared = common(left, right, true);
        String batch = common(shared, result, true);
        String summed = common(shared, result, false);
        String rows = common(left, right, false);
        String columns = common(right, left, false);
        NDArray product = Call.reshape(
                        permute(a, left, batch + rows + summed),
                        size(batch, sizes),
                        size(rows, sizes),
                        size(summed, sizes))
                .matMul(Call.reshape(
                        permute(b, right, batch + summed + columns),
                        size(batch, sizes),
                        size(summed, sizes),
                        size(columns, sizes)));
        String order = batch + rows + columns;
        long[] shape =
                order.chars().mapToLong(letter -> sizes.get((char) letter)).toArray();
        return permute(Call.reshape(product, shape), order, result);
    }

    /** The letters of {@code term} that are (or are not) in {@code other}. */
    private static String common(String term, String other, boolean contained) {
        StringBuilder letters = new StringBuilder();
        for (char letter : term.toCharArray()) {
            if (other.indexOf(letter) >= 0 == contained) {
                letters.append(letter);
            }
        }
        return letters.toString();
    }

    private static NDArray sumMissing(NDArray x, String term, String kept) {
        int[] axes = new int[term.length()];
        int count = 0;
        for (int i = 0; i < term.length(); i++) {
            if (kept.indexOf(term.charAt(i)) < 0) {
                axes[count++] = i;
            }
        }
        return count == 0 ? x : x.sum(Arrays.copyOf(axes, count), false);
    }

    private static NDArray permute(NDArray x, String from, String to) {
        int[] axes = new int[to.length()];
        Arrays.setAll(axes, i -> from.indexOf(to.charAt(i)));
        return axes.length == 0 ? Call.alias(x) : x.transpose(axes);
    }

    private static long size(String letters, Map<Character, Long> sizes) {
        return letters.chars().mapToLong(letter -> sizes.get((char) letter)).reduce(1, (a, b) -> a * b);
    }
}
