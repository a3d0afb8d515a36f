package dev.gptq.jobs.text;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Sentences without a download: definitions from WordNet, Debian package wordnet-base. */
final class WordNet {
    private static final Path FOLDER = Path.of("/usr/share/wordnet");
    private static final int FEWEST_WORDS = 5;
    /** Takes some from all over a file, whose neighbours are about the same things. */
    private static final int STRIDE = 97;

    private WordNet() {}

    static boolean isInstalled() {
        return Files.exists(FOLDER.resolve("data.noun"));
    }

    /** Definitions of nouns, verbs and adjectives by turns. */
    static List<String> definitions(int count) throws IOException {
        List<List<String>> kinds = new ArrayList<>();
        for (String kind : List.of("noun", "verb", "adj")) {
            kinds.add(ofKind(FOLDER.resolve("data." + kind)));
        }
        List<String> mixed = new ArrayList<>();
        for (int i = 0; mixed.size() < count; i++) {
            mixed.add(kinds.get(i % kinds.size()).get(i / kinds.size()));
        }
        return mixed;
    }

    private static List<String> ofKind(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file, StandardCharsets.ISO_8859_1);
        List<String> found = new ArrayList<>();
        for (int start = 0; start < STRIDE; start++) {
            for (int i = start; i < lines.size(); i += STRIDE) {
                int bar = lines.get(i).indexOf("| ");
                String definition = bar < 0
                        ? ""
                        : lines.get(i).substring(bar + 2).split("[;\"]")[0].trim();
                if (definition.split(" ").length >= FEWEST_WORDS) {
                    found.add(definition);
                }
            }
        }
        return found;
    }
}
