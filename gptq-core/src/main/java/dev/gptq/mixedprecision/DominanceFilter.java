package dev.gptq.mixedprecision;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** Drops what another one beats: no less cost and no less use of any resource. Of equals the first stays. */
final class DominanceFilter {
    /** Up to so many, pairs are compared where there are more than two resources; beyond, all stay. */
    private static final int MAX_PAIRED = 2000;

    private DominanceFilter() {}

    static <T> List<T> apply(List<T> all, ToDoubleFunction<T> cost, Function<T, long[]> use) {
        int resources = all.isEmpty() ? 0 : use.apply(all.get(0)).length;
        List<T> sorted = new ArrayList<>(all);
        Comparator<T> order = Comparator.comparingLong(item -> resources == 0 ? 0 : use.apply(item)[0]);
        sorted.sort(order.thenComparingDouble(cost));
        if (resources <= 2) {
            return staircase(sorted, cost, use, resources);
        }
        return sorted.size() <= MAX_PAIRED ? paired(sorted, cost, use) : sorted;
    }

    /**
     * In ascending use of the first resource, an item stays unless one before it with no more use of the second costs no
     * more: {@code least} has, for uses of the second, costs that fall.
     */
    private static <T> List<T> staircase(
            List<T> sorted, ToDoubleFunction<T> cost, Function<T, long[]> use, int resources) {
        TreeMap<Long, Double> least = new TreeMap<>();
        List<T> kept = new ArrayList<>();
        for (T item : sorted) {
            long second = resources < 2 ? 0 : use.apply(item)[1];
            double own = cost.applyAsDouble(item);
            Map.Entry<Long, Double> beaten = least.floorEntry(second);
            if (beaten != null && beaten.getValue() <= own) {
                continue;
            }
            kept.add(item);
            least.put(second, own);
            Map.Entry<Long, Double> above = least.higherEntry(second);
            while (above != null && above.getValue() >= own) {
                least.remove(above.getKey());
                above = least.higherEntry(second);
            }
        }
        return kept;
    }

    private static <T> List<T> paired(List<T> sorted, ToDoubleFunction<T> cost, Function<T, long[]> use) {
        List<T> kept = new ArrayList<>();
        for (T item : sorted) {
            boolean beaten = kept.stream()
                    .anyMatch(other -> cost.applyAsDouble(other) <= cost.applyAsDouble(item)
                            && noMore(use.apply(other), use.apply(item)));
            if (!beaten) {
                kept.add(item);
            }
        }
        return kept;
    }

    private static boolean noMore(long[] use, long[] than) {
        for (int resource = 0; resource < use.length; resource++) {
            if (use[resource] > than[resource]) {
                return false;
            }
        }
        return true;
    }
}
