package dev.gptq.spark.train;

import dev.gptq.spark.exchange.Members;
import dev.gptq.train.ParameterPiece;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

import static org.assertj.core.api.Assertions.assertThat;

class SegmentSlicesTest {
    @Property(tries = 200)
    void slicesAreWholePiecesInOrderAndNoneIsLargerThanWantedButForASinglePiece(
            @ForAll @Size(min = 1, max = 300) List<@IntRange(min = 1, max = 20_000) Integer> sizes,
            @ForAll @Size(min = 1, max = 4) List<@IntRange(min = 1, max = 8) Integer> tasks) {
        List<ParameterPiece> pieces = new ArrayList<>();
        int elements = 0;
        for (int size : sizes) {
            pieces.add(new ParameterPiece(elements, elements + size, 0, 0, 1));
            elements += size;
        }
        SegmentSlices slices = SegmentSlices.of(pieces, new Members(tasks, 0));
        int[] borders = slices.borders();
        int allTasks = tasks.stream().mapToInt(Integer::intValue).sum();
        int wanted = Math.min(1 << 18, Math.max(1 << 13, elements / (4 * allTasks)));

        assertThat(borders[0]).isZero();
        assertThat(borders[borders.length - 1]).isEqualTo(elements);
        assertThat(slices.firstPieces()).hasSameSizeAs(borders);
        assertThat(slices.endPiece(borders.length - 2)).isEqualTo(pieces.size());
        for (int slice = 0; slice < borders.length - 1; slice++) {
            int first = slices.firstPiece(slice);
            int end = slices.endPiece(slice);
            assertThat(end).isGreaterThan(first);
            assertThat(borders[slice]).isEqualTo(pieces.get(first).from());
            assertThat(borders[slice + 1]).isEqualTo(pieces.get(end - 1).to());
            assertThat(end - first == 1 || borders[slice + 1] - borders[slice] <= wanted)
                    .isTrue();
            // The next piece would not have fitted.
            assertThat(end == pieces.size() || pieces.get(end).to() - borders[slice] > wanted)
                    .isTrue();
        }
    }
}
