package dev.gptq.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Finds what a person probably meant to type. */
final class NearestName {
    private NearestName() {}

    /** "; the nearest known name is ..." or nothing when no candidate is close. */
    static String hint(String typed, Collection<String> candidates) {
        String nearest = of(typed, candidates);
        return nearest == null ? "" : "; the nearest known name is '" + nearest + "'";
    }

    /** The candidate with the smallest edit distance, or null when all differ in more than half of their letters. */
    static String of(String typed, Collection<String> candidates) {
        if (typed == null) {
            return null;
        }
        String best = null;
        int bestDistance = Integer.MAX_VALUE;
        for (String candidate : candidates) {
            int distance = editDistance(typed.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
            if (distance < bestDistance && 2 * distance <= Math.max(typed.length(), candidate.length())) {
                best = candidate;
                bestDistance = distance;
            }
        }
        return best;
    }

    /** The {@code count} candidates with the smallest edit distances, nearest first. */
    static List<String> nearest(String typed, Collection<String> candidates, int count) {
        return candidates.stream()
                .sorted(Comparator.comparingInt(candidate -> editDistance(typed, candidate)))
                .limit(count)
                .toList();
    }

    /** Levenshtein distance. */
    static int editDistance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] current = new int[b.length() + 1];
            current[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replace = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(replace, 1 + Math.min(previous[j], current[j - 1]));
            }
            previous = current;
        }
        return previous[b.length()];
    }
}
