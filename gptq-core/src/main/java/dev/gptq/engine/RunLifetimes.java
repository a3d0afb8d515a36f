package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import java.util.Set;

/** Which arrays of one run may be closed before it ends. */
final class RunLifetimes {
    private final ExecutionPlan plan;
    private final Set<String> kept;
    private final boolean[] closable;

    /** {@code kept} null keeps everything. */
    RunLifetimes(ExecutionPlan plan, Set<String> kept) {
        this.plan = plan;
        this.kept = kept;
        this.closable = new boolean[plan.slotCount()];
    }

    /** Notes what a hook made of a tensor; closes the array it was given when another one took its place. */
    void replaced(int slot, NDArray made, NDArray seen, boolean ownedByRun) {
        // Integers (shapes, indices) may lie in Java memory that a recorded operation still needs; they are small
        // anyway.
        boolean free = kept != null
                && !kept.contains(plan.name(slot))
                && made.getDataType().isFloating();
        closable[slot] = free && (ownedByRun || seen != made);
        if (free && ownedByRun && seen != made) {
            made.close();
        }
    }

    /** Closes what nothing reads after {@code step}. */
    void release(ExecutionPlan.Step step, NDArray[] values) {
        for (int slot : step.releasedSlots()) {
            if (closable[slot]) {
                values[slot].close();
                values[slot] = null;
            }
        }
    }
}
