package dev.gptq.spark.train;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.spark.TestSpark;
import dev.gptq.spark.data.Outcome;
import dev.gptq.train.LaneGradient;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class SlicedFoldTest {
    private static final int LANES = 8;
    private static final int ELEMENTS = 100_003;
    /** What Spark adds to a result, per task: metrics, class names. */
    private static final long OVERHEAD = 20_000;

    private final List<LaneGradient> lanes = lanes();

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void theBitsAreThoseOfAFoldInOnePlaceInWhateverOrderTasksStand(int tasks) {
        List<Outcome<List<FoldedLanes>>> parts = parts(tasks);
        Collections.reverse(parts);

        LaneGradient folded = fold(parts, tasks);

        assertThat(folded.loss()).isEqualTo(LaneGradient.fold(lanes).loss());
        assertThat(folded.gradient()).isEqualTo(LaneGradient.fold(lanes).gradient());
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 8})
    void theDriverReceivesTheGradientOnceWhateverTheNumberOfTasks(int tasks) throws TimeoutException {
        ResultBytes received = new ResultBytes();
        TestSpark.session().sparkContext().addSparkListener(received);
        try {
            fold(parts(tasks), tasks);
            TestSpark.session().sparkContext().listenerBus().waitUntilEmpty();
        } finally {
            TestSpark.session().sparkContext().removeSparkListener(received);
        }

        assertThat(received.bytes.get()).isBetween(4L * ELEMENTS, 4L * ELEMENTS + 2 * tasks * OVERHEAD);
    }

    @Test
    void aFailedLaneIsReportedAsItWasThrown() {
        List<Outcome<List<FoldedLanes>>> parts = parts(2);
        parts.set(1, new Outcome<>(null, new GptqException(ErrorCode.BAD_INPUT, "Cannot read sample 7: it is gone.")));

        assertThatThrownBy(() -> fold(parts, 2))
                .isInstanceOf(GptqException.class)
                .hasMessage("Cannot read sample 7: it is gone.");
    }

    private static LaneGradient fold(List<Outcome<List<FoldedLanes>>> parts, int slices) {
        return new SlicedFold(LANES, ELEMENTS, slices).fold(TestSpark.context().parallelize(parts, parts.size()));
    }

    private List<Outcome<List<FoldedLanes>>> parts(int tasks) {
        List<Outcome<List<FoldedLanes>>> parts = new ArrayList<>();
        for (int task = 0; task < tasks; task++) {
            int first = LANES * task / tasks;
            int end = LANES * (task + 1) / tasks;
            parts.add(new Outcome<>(FoldedLanes.of(lanes.subList(first, end), first, LANES), null));
        }
        return parts;
    }

    private static List<LaneGradient> lanes() {
        Random random = new Random(3);
        List<LaneGradient> lanes = new ArrayList<>();
        for (int lane = 0; lane < LANES; lane++) {
            float[] gradient = new float[ELEMENTS];
            for (int i = 0; i < ELEMENTS; i++) {
                gradient[i] = (float) random.nextGaussian();
            }
            lanes.add(new LaneGradient(random.nextDouble(), gradient));
        }
        return lanes;
    }

    /** Bytes of all task results. */
    private static final class ResultBytes extends SparkListener {
        final AtomicLong bytes = new AtomicLong();

        @Override
        public void onTaskEnd(SparkListenerTaskEnd task) {
            bytes.addAndGet(task.taskMetrics().resultSize());
        }
    }
}
