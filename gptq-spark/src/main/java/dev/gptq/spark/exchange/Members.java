package dev.gptq.spark.exchange;

import dev.gptq.spark.task.BlockRun;
import java.util.ArrayList;
import java.util.List;

/**
 * The JVMs ("members") of a barrier stage and what falls to each: a run of a step's lanes in proportion to its tasks, and a
 * run of slices. Every member comes to the same picture by itself.
 *
 * @param tasks number of tasks by member
 * @param self index of this JVM
 */
public record Members(List<Integer> tasks, int self) {
    private static final int SLICES_PER_TASK = 4;
    private static final int SHORTEST_SLICE = 1 << 13;
    private static final int LONGEST_SLICE = 1 << 18;

    public Members {
        tasks = List.copyOf(tasks);
    }

    /**
     * Members in the order of their first task.
     *
     * @param addresses where each task runs, by task
     * @param task a task of this JVM
     */
    public static Members of(List<String> addresses, int task) {
        List<String> distinct = addresses.stream().distinct().toList();
        List<Integer> tasks = new ArrayList<>();
        for (String address : distinct) {
            tasks.add((int) addresses.stream().filter(address::equals).count());
        }
        return new Members(tasks, distinct.indexOf(addresses.get(task)));
    }

    /** Number of JVMs. */
    public int count() {
        return tasks.size();
    }

    /** Tasks in this JVM. */
    public int ownTasks() {
        return tasks.get(self);
    }

    /**
     * How many elements a slice should have: a few slices for each task, so that sending, folding and updating go on side by
     * side, and no more, since each is a message that costs its time whatever its length.
     */
    public int sliceLength(int elements) {
        int wanted = elements / (SLICES_PER_TASK * allTasks());
        return Math.max(SHORTEST_SLICE, Math.min(LONGEST_SLICE, wanted));
    }

    private int allTasks() {
        return tasks.stream().mapToInt(Integer::intValue).sum();
    }

    /** First lane of a member in a step of {@code lanes} lanes; the first lane of the member after the last is the end. */
    int firstLane(int member, int lanes) {
        int before =
                tasks.subList(0, member).stream().mapToInt(Integer::intValue).sum();
        return Math.toIntExact((long) lanes * before / allTasks());
    }

    /** The subtrees of a step's fold that a member computes; none when it has no lane. */
    List<BlockRun> runs(int member, int lanes) {
        int first = firstLane(member, lanes);
        int end = firstLane(member + 1, lanes);
        return first == end ? List.of() : BlockRun.covering(first, end, lanes);
    }

    /** The first slices of the members, and the end: slices are cut where their middles reach equal shares of the elements. */
    int[] sliceBorders(int[] borders) {
        int slices = borders.length - 1;
        long total = borders[slices];
        int[] first = new int[count() + 1];
        int slice = 0;
        for (int member = 0; member < count(); member++) {
            first[member] = slice;
            while (slice < slices
                    && ((long) borders[slice] + borders[slice + 1]) * count() < 2 * total * (member + 1)) {
                slice++;
            }
        }
        first[count()] = slices;
        return first;
    }
}
