package dev.gptq.train;

import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class PermutationTest {
    @Property(tries = 300)
    void everyPlaceIsTakenOnce(@ForAll @IntRange(min = 1, max = 3000) int size, @ForAll long key) {
        Permutation permutation = new Permutation(size, key);
        assertThat(LongStream.range(0, size).map(permutation::at).sorted().toArray())
                .isEqualTo(LongStream.range(0, size).toArray());
    }

    /** Of n places, a random permutation leaves one as it is on average, and half of the neighbours ascend. */
    @Test
    void keysGiveOrdersThatLookRandom() {
        int size = 1000;
        int keys = 200;
        double fixed = 0;
        double ascents = 0;
        for (int key = 0; key < keys; key++) {
            Permutation permutation = new Permutation(size, key);
            for (int i = 0; i < size; i++) {
                fixed += permutation.at(i) == i ? 1 : 0;
                ascents += i > 0 && permutation.at(i) > permutation.at(i - 1) ? 1 : 0;
            }
        }
        // Five standard deviations: of a Poisson number of mean 1, and of ascents, whose variance is (n + 1) / 12.
        assertThat(fixed / keys).isCloseTo(1, within(5 / Math.sqrt(keys)));
        assertThat(ascents / keys).isCloseTo((size - 1) / 2.0, within(5 * Math.sqrt((size + 1) / 12.0 / keys)));
    }
}
