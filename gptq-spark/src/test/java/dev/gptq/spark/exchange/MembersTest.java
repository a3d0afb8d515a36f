package dev.gptq.spark.exchange;

import dev.gptq.spark.task.BlockRun;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class MembersTest {
    private static final List<String> ADDRESSES = List.of("b:1", "a:1", "b:1", "c:1", "a:1", "b:1");

    @Test
    void everyTaskSeesTheSameMembersInTheOrderOfTheirFirstTasks() {
        for (int task = 0; task < ADDRESSES.size(); task++) {
            Members members = Members.of(ADDRESSES, task);
            assertThat(members.tasks()).containsExactly(3, 2, 1);
            assertThat(members.self()).isEqualTo(List.of("b:1", "a:1", "c:1").indexOf(ADDRESSES.get(task)));
        }
        assertThat(Members.of(ADDRESSES, 4).ownTasks()).isEqualTo(2);
    }

    @Property(tries = 200)
    void lanesAreSpreadOverTasksWithoutGapsAndTheirRunsCoverThem(
            @ForAll @Size(min = 1, max = 6) List<@IntRange(min = 1, max = 4) Integer> tasks,
            @ForAll @IntRange(max = 6) int power) {
        int lanes = 1 << power;
        Members members = new Members(tasks, 0);
        int all = tasks.stream().mapToInt(Integer::intValue).sum();
        assertThat(members.firstLane(0, lanes)).isZero();
        assertThat(members.firstLane(members.count(), lanes)).isEqualTo(lanes);
        for (int member = 0; member < members.count(); member++) {
            int first = members.firstLane(member, lanes);
            int end = members.firstLane(member + 1, lanes);
            double share = (double) lanes * tasks.get(member) / all;
            assertThat((double) end - first).isBetween(share - 1, share + 1);
            List<BlockRun> runs = members.runs(member, lanes);
            assertThat(runs.stream().flatMapToInt(MembersTest::lanesOf).toArray())
                    .containsExactly(IntStream.range(first, end).toArray());
        }
    }

    private static IntStream lanesOf(BlockRun run) {
        return IntStream.range((int) run.firstBlock(), (int) (run.firstBlock() + run.blocks()));
    }

    @Property(tries = 200)
    void everySliceHasOneOwnerAndOwnersHaveEqualSharesWithinOneSlice(
            @ForAll @Size(min = 1, max = 40) List<@IntRange(min = 1, max = 9) Integer> sizes,
            @ForAll @IntRange(min = 1, max = 8) int count) {
        int[] borders = new int[sizes.size() + 1];
        for (int slice = 0; slice < sizes.size(); slice++) {
            borders[slice + 1] = borders[slice] + sizes.get(slice);
        }
        int[] first = new Members(IntStream.range(0, count).mapToObj(m -> 1).toList(), 0).sliceBorders(borders);
        assertThat(first)
                .hasSize(count + 1)
                .startsWith(0)
                .endsWith(sizes.size())
                .isSorted();
        double share = (double) borders[sizes.size()] / count;
        for (int member = 0; member < count; member++) {
            assertThat((double) borders[first[member + 1]] - borders[first[member]])
                    .isBetween(share - 9, share + 9);
        }
    }
}
