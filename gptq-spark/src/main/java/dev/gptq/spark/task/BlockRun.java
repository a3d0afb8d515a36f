package dev.gptq.spark.task;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** Consecutive blocks that one task works on: the {@code index}-th run of 2^level blocks. */
public record BlockRun(int level, long index, long firstBlock, long blocks) implements Serializable {
    /** Cuts [0, blocks) into at most {@code tasks} runs (at least one) of equal power-of-two length. */
    public static List<BlockRun> cut(long blocks, int tasks) {
        int level = 0;
        while ((blocks + (1L << level) - 1) >> level > tasks) {
            level++;
        }
        List<BlockRun> runs = new ArrayList<>();
        long length = 1L << level;
        for (long first = 0; first < blocks; first += length) {
            runs.add(new BlockRun(level, first >> level, first, Math.min(length, blocks - first)));
        }
        return runs;
    }

    /** The fewest runs that make up [first, end) of {@code blocks} blocks; each is a subtree of {@link OrderedFold}'s tree. */
    public static List<BlockRun> covering(long first, long end, long blocks) {
        List<BlockRun> runs = new ArrayList<>();
        long begin = first;
        while (begin < end) {
            int level = 0;
            while (begin % (2L << level) == 0
                    && 1L << level < end - begin
                    && isWhole(begin + (2L << level), end, blocks)) {
                level++;
            }
            long length = Math.min(1L << level, end - begin);
            runs.add(new BlockRun(level, begin >> level, begin, length));
            begin += length;
        }
        return runs;
    }

    /** Whether a subtree up to {@code subtreeEnd} has all its blocks before {@code end}: the last one may be ragged. */
    private static boolean isWhole(long subtreeEnd, long end, long blocks) {
        return Math.min(subtreeEnd, blocks) <= end;
    }
}
