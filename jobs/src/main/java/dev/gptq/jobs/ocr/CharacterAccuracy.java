package dev.gptq.jobs.ocr;

/**
 * One minus edit distance over length, over all lines together. Spaces do not count: recognizers are not trained to
 * find their number.
 */
final class CharacterAccuracy {
    private long characters;
    private long errors;

    void add(String expected, String actual) {
        int[] wanted = withoutSpaces(expected);
        characters += wanted.length;
        errors += distance(wanted, withoutSpaces(actual));
    }

    /** Between 0 and 1; NaN before the first line. */
    double value() {
        return characters == 0 ? Double.NaN : Math.max(0, 1 - (double) errors / characters);
    }

    private static int[] withoutSpaces(String text) {
        return text.codePoints().filter(c -> !Character.isWhitespace(c)).toArray();
    }

    /** Levenshtein's distance: insertions, deletions and replacements. */
    static int distance(int[] first, int[] second) {
        int[] row = new int[second.length + 1];
        for (int j = 0; j <= second.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= first.length; i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= second.length; j++) {
                int replaced = diagonal + (first[i - 1] == second[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[second.length];
    }
}
