package dev.gptq.spark.task;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.graph.SampleBatch;
import dev.gptq.spark.PreparedSamples;
import dev.gptq.spark.TestModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class BlockJobTest {
    @TempDir
    private static Path folder;

    private static PreparedSamples samples;

    @BeforeAll
    static void prepare() {
        samples = PreparedSamples.in(folder);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 100})
    void sumsHaveTheSameBitsForAnyNumberOfTasks(int tasks) {
        assertThat(samples.job(5, tasks).fold(new Sum(), "sum", done -> {})).isEqualTo(expected(5));
    }

    /** The fold as it is stated: neighbours first, level by level. */
    private static float expected(int blockSize) {
        var store = dev.gptq.spark.data.SampleStore.open(samples.store(), new org.apache.hadoop.conf.Configuration());
        List<Float> level = new ArrayList<>();
        for (int first = 0; first < TestModel.SAMPLES; first += blockSize) {
            level.add(sum(store.read(first, Math.min(blockSize, TestModel.SAMPLES - first))));
        }
        while (level.size() > 1) {
            List<Float> next = new ArrayList<>();
            for (int i = 0; i < level.size(); i += 2) {
                next.add(i + 1 < level.size() ? level.get(i) + level.get(i + 1) : level.get(i));
            }
            level = next;
        }
        return level.get(0);
    }

    @Test
    void progressCountsBlocks() {
        List<Long> progress = new ArrayList<>();

        samples.job(5, 4).fold(new Sum(), "sum", progress::add);

        assertThat(progress).hasSize(4).isSorted().endsWith(15L);
    }

    @Test
    void aDomainFailureOfATaskArrivesAsItIsAndIsNotTriedAgain() {
        Failing.CALLS.set(0);

        GptqException failure = catchThrowableOfType(
                GptqException.class, () -> samples.job(TestModel.SAMPLES, 1).fold(new Failing(), "sum", done -> {}));

        assertThat(failure.code()).isEqualTo(ErrorCode.BAD_INPUT);
        assertThat(failure).hasMessage("Cannot use it: it is bad. Change it.");
        assertThat(Failing.CALLS).hasValue(1);
    }

    @Test
    void anotherFailureOfATaskBecomesOneLine() {
        GptqException failure = catchThrowableOfType(
                GptqException.class, () -> samples.job(5, 2).fold(new Crashing(), "sum", done -> {}));

        assertThat(failure.code()).isEqualTo(ErrorCode.CLUSTER);
        assertThat(failure.getMessage())
                .startsWith("Cannot finish stage 'sum': ")
                .doesNotContain("\n");
    }

    private static float sum(SampleBatch block) {
        float sum = 0;
        for (float value : block.inputs().get("input").floats()) {
            sum += value;
        }
        return sum;
    }

    private static class Sum implements BlockTask<Float> {
        @Override
        public Float map(ExecutorModels.Lease models, SampleBatch block) {
            return sum(block);
        }

        @Override
        public Float merge(Float earlier, Float later) {
            return earlier + later;
        }
    }

    private static final class Failing extends Sum {
        static final AtomicInteger CALLS = new AtomicInteger();

        @Override
        public Float map(ExecutorModels.Lease models, SampleBatch block) {
            CALLS.incrementAndGet();
            throw GptqException.badInput("Cannot use it: it is bad. Change it.");
        }
    }

    private static final class Crashing extends Sum {
        @Override
        public Float map(ExecutorModels.Lease models, SampleBatch block) {
            throw new IllegalStateException("broken");
        }
    }

    @Test
    void largeResultsAreFoldedByFewerTasks() {
        assertThat(BlockJob.tasks(1 << 10, 8)).isEqualTo(8);
        assertThat(BlockJob.tasks(BlockJob.RESULT_BYTES / 3, 8)).isEqualTo(3);
        assertThat(BlockJob.tasks(BlockJob.RESULT_BYTES * 2, 8)).isEqualTo(1);
    }
}
