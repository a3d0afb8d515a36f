package dev.gptq.jobs.ocr;

import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class OcrMeasuresTest {
    @Test
    void decodingTakesTheBestClassOfEachStepOnceAndLeavesBlanksOut() {
        CtcDecoder decoder = CtcDecoder.ofList(List.of("a", "b"));
        // Classes: blank, a, b, space. Steps: a a blank a b space b.
        int[] best = {1, 1, 0, 1, 2, 3, 2};
        double[] scores = new double[4 + best.length * 4];
        for (int step = 0; step < best.length; step++) {
            scores[4 + step * 4 + best[step]] = 1;
        }

        assertThat(decoder.decode(scores, 4, best.length)).isEqualTo("aab b");
    }

    @Test
    void accuracyCountsInsertionsDeletionsAndReplacementsOverAllLines() {
        CharacterAccuracy accuracy = new CharacterAccuracy();
        assertThat(accuracy.value()).isNaN();
        accuracy.add("kitten", "sitting");
        assertThat(accuracy.value()).isEqualTo(1 - 3.0 / 6);
        accuracy.add("ab cd", "abcd");
        assertThat(accuracy.value()).isEqualTo(1 - 3.0 / 10);
    }

    @Test
    void aLineIsAFunctionOfSeedAndIndexAndHasInkOnIt() {
        TextLine line = new LinePainter(1).line(5);
        TextLine same = new LinePainter(1).line(5);
        TextLine other = new LinePainter(2).line(5);

        assertThat(line.pixels())
                .hasSize(LinePainter.WIDTH * LinePainter.HEIGHT)
                .isEqualTo(same.pixels());
        assertThat(line.text()).isEqualTo(same.text()).isNotBlank();
        assertThat(other.pixels()).isNotEqualTo(line.pixels());
        int darkest = 255;
        int lightest = 0;
        for (byte pixel : line.pixels()) {
            darkest = Math.min(darkest, Byte.toUnsignedInt(pixel));
            lightest = Math.max(lightest, Byte.toUnsignedInt(pixel));
        }
        assertThat(lightest - darkest).isGreaterThan(80);
    }
}
