package dev.gptq.jobs.bench;

import java.util.ArrayList;
import java.util.List;

/** The cost per training step, in blocks of steps that follow one another. */
final class StepCosts implements BenchRun.StepListener {
    private final int warmUp;
    private final int blockSize;
    private final List<Cost> blocks = new ArrayList<>();
    private Cost.Clock sinceBlock;

    /** The first {@code warmUp} steps do not count. */
    StepCosts(int warmUp, int blockSize) {
        this.warmUp = warmUp;
        this.blockSize = blockSize;
    }

    @Override
    public void afterStep(long done) {
        if (done < warmUp || (done - warmUp) % blockSize != 0) {
            return;
        }
        if (sinceBlock != null) {
            blocks.add(sinceBlock.read().dividedBy(blockSize));
        }
        sinceBlock = Cost.Clock.start();
    }

    /** Costs per step, block by block. */
    List<Cost> perStep() {
        return List.copyOf(blocks);
    }
}
