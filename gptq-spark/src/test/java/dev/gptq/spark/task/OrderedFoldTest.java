package dev.gptq.spark.task;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class OrderedFoldTest {
    @Test
    void theTreeIsFixedByTheBlockIndex() {
        assertThat(foldAll(List.of(0L, 1L, 2L, 3L, 4L))).isEqualTo("(((0 1) (2 3)) 4)");
        assertThat(foldAll(List.of(0L))).isEqualTo("0");
    }

    @Test
    void theOrderOfArrivalDoesNotMatter() {
        List<Long> blocks = new ArrayList<>(LongStream.range(0, 37).boxed().toList());
        String expected = foldAll(blocks);
        Random random = new Random(1);
        for (int attempt = 0; attempt < 20; attempt++) {
            Collections.shuffle(blocks, random);
            assertThat(foldAll(blocks)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 7, 36, 37, 100})
    void runsFoldedElsewhereGiveTheSameTree(int tasks) {
        OrderedFold<String> whole = new OrderedFold<>(37, OrderedFoldTest::join);
        List<BlockRun> runs = new ArrayList<>(BlockRun.cut(37, tasks));
        assertThat(runs).hasSizeLessThanOrEqualTo(tasks);
        Collections.reverse(runs);
        for (BlockRun run : runs) {
            OrderedFold<String> part = new OrderedFold<>(run.blocks(), OrderedFoldTest::join);
            for (long block = 0; block < run.blocks(); block++) {
                part.accept(0, block, String.valueOf(run.firstBlock() + block));
            }
            whole.accept(run.level(), run.index(), part.result());
        }

        assertThat(whole.result())
                .isEqualTo(foldAll(LongStream.range(0, 37).boxed().toList()));
    }

    @ParameterizedTest
    @CsvSource({"8, 3", "8, 5", "7, 2", "7, 3", "37, 1", "37, 4", "37, 10"})
    void anyRangeIsMadeUpOfSubtrees(int blocks, int ranges) {
        OrderedFold<String> whole = new OrderedFold<>(blocks, OrderedFoldTest::join);
        for (int range = 0; range < ranges; range++) {
            long first = (long) blocks * range / ranges;
            long end = (long) blocks * (range + 1) / ranges;
            for (BlockRun run : BlockRun.covering(first, end, blocks)) {
                OrderedFold<String> part = new OrderedFold<>(run.blocks(), OrderedFoldTest::join);
                for (long block = 0; block < run.blocks(); block++) {
                    part.accept(0, block, String.valueOf(run.firstBlock() + block));
                }
                whole.accept(run.level(), run.index(), part.result());
            }
        }

        assertThat(whole.result())
                .isEqualTo(foldAll(LongStream.range(0, blocks).boxed().toList()));
    }

    @Test
    void aRangeIsMadeUpOfTheFewestSubtrees() {
        assertThat(BlockRun.covering(0, 8, 8)).containsExactly(new BlockRun(3, 0, 0, 8));
        assertThat(BlockRun.covering(4, 7, 7)).containsExactly(new BlockRun(2, 1, 4, 3));
        assertThat(BlockRun.covering(2, 6, 8)).containsExactly(new BlockRun(1, 1, 2, 2), new BlockRun(1, 2, 4, 2));
        assertThat(BlockRun.covering(1, 2, 2)).containsExactly(new BlockRun(0, 1, 1, 1));
    }

    @Test
    void aMissingBlockIsAnError() {
        OrderedFold<String> fold = new OrderedFold<>(2, OrderedFoldTest::join);
        fold.accept(0, 1, "1");

        assertThatThrownBy(fold::result).isInstanceOf(IllegalStateException.class);
    }

    private static String foldAll(List<Long> blocks) {
        OrderedFold<String> fold = new OrderedFold<>(blocks.size(), OrderedFoldTest::join);
        blocks.forEach(block -> fold.accept(0, block, block.toString()));
        return fold.result();
    }

    private static String join(String earlier, String later) {
        return "(" + earlier + " " + later + ")";
    }
}
