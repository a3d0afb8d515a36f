package dev.gptq.spark.exchange;

import java.util.ArrayList;
import java.util.List;

/** What members hand over at the end of a stage, chunk by chunk. Not thread-safe: its participant guards it. */
final class StateGathering {
    private static final int CHUNK = 1 << 18;

    private final List<Integer> lengths;
    private final int step;
    private final float[][] received;
    private final boolean[][] seen;
    private final int[] missing;

    /**
     * @param lengths of each member's state; the first one's does not come by message
     * @param step at which states are handed over
     */
    StateGathering(List<Integer> lengths, int step) {
        this.step = step;
        this.lengths = List.copyOf(lengths);
        this.received = new float[lengths.size()][];
        this.seen = new boolean[lengths.size()][];
        this.missing = new int[lengths.size()];
        for (int member = 1; member < lengths.size(); member++) {
            missing[member] = chunks(lengths.get(member));
            seen[member] = new boolean[missing[member]];
        }
    }

    static int chunks(int length) {
        return (length + CHUNK - 1) / CHUNK;
    }

    static int from(int chunk) {
        return chunk * CHUNK;
    }

    static int size(int chunk, int length) {
        return Math.min(CHUNK, length - from(chunk));
    }

    /** The state that a message's chunk belongs to. */
    float[] expect(Message message) {
        int member = message.sender();
        int chunk = message.slice();
        Message.check(message.step() == step, "no state is wanted now");
        Message.check(chunk >= 0 && chunk < seen[member].length && !seen[member][chunk], "its state has come before");
        seen[member][chunk] = true;
        if (received[member] == null) {
            received[member] = new float[lengths.get(member)];
        }
        return received[member];
    }

    void arrived(int member) {
        missing[member]--;
    }

    boolean isMissing(int member) {
        return missing[member] > 0;
    }

    boolean isComplete() {
        for (int chunks : missing) {
            if (chunks > 0) {
                return false;
            }
        }
        return true;
    }

    List<float[]> all(float[] first) {
        List<float[]> all = new ArrayList<>(List.of(first));
        for (int member = 1; member < received.length; member++) {
            all.add(received[member]);
        }
        return all;
    }
}
