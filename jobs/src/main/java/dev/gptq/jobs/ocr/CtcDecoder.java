package dev.gptq.jobs.ocr;

import java.util.ArrayList;
import java.util.List;

/**
 * Greedy decoding of a CTC recognizer (Graves et al. 2006): the best class of each step, repetitions once, blanks left out.
 *
 * @param characters by class from 1 on; class 0 is the blank
 */
record CtcDecoder(List<String> characters) {
    CtcDecoder {
        characters = List.copyOf(characters);
    }

    /** For PP-OCR recognizers: the lines of their list of characters, and the space behind them. */
    static CtcDecoder ofList(List<String> lines) {
        List<String> characters = new ArrayList<>(lines);
        characters.add(" ");
        return new CtcDecoder(characters);
    }

    /**
     * The text of one sample.
     *
     * @param scores row-major [steps, classes]
     * @param from where the sample begins
     */
    String decode(double[] scores, int from, int steps) {
        int classes = characters.size() + 1;
        StringBuilder text = new StringBuilder();
        int previous = 0;
        for (int step = 0; step < steps; step++) {
            int start = from + step * classes;
            int best = 0;
            for (int i = 1; i < classes; i++) {
                if (scores[start + i] > scores[start + best]) {
                    best = i;
                }
            }
            if (best != 0 && best != previous) {
                text.append(characters.get(best - 1));
            }
            previous = best;
        }
        return text.toString();
    }
}
