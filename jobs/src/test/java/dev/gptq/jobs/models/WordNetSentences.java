package dev.gptq.jobs.models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** The explanations of WordNet's 117,659 meanings, of Debian's package wordnet-base, in an order that one seed gives. */
final class WordNetSentences {
    static final Path FOLDER = Path.of("/usr/share/wordnet");
    private static final String SEPARATOR = " | ";
    private static final int SEED = 1;

    private final List<String> sentences = new ArrayList<>();

    WordNetSentences() throws IOException {
        for (String part : List.of("noun", "verb", "adj", "adv")) {
            Files.readAllLines(FOLDER.resolve("data." + part)).stream()
                    .filter(line -> !line.startsWith("  ") && line.contains(SEPARATOR))
                    .map(line -> line.substring(line.indexOf(SEPARATOR) + SEPARATOR.length())
                            .trim())
                    .forEach(sentences::add);
        }
        Collections.shuffle(sentences, new Random(SEED));
    }

    List<String> get(int from, int count) {
        return sentences.subList(from, from + count);
    }
}
