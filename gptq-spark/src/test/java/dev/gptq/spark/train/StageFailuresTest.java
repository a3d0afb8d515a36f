package dev.gptq.spark.train;

import dev.gptq.spark.TestSpark;
import java.io.Serializable;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskKilledException;
import org.apache.spark.rdd.RDD;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import scala.collection.Iterator;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

import static org.assertj.core.api.Assertions.assertThat;

class StageFailuresTest {
    private static final long LATE_MILLIS = 500;
    private static final int TASKS = 2;

    /** Holds up the bus until Spark has heard of the tasks that it kills after the first one failed. */
    private static final class LateListener extends SparkListener {
        @Override
        public void onTaskEnd(SparkListenerTaskEnd end) {
            pause(LATE_MILLIS);
        }
    }

    private static final class Failing extends AbstractFunction1<Iterator<Integer>, Iterator<Integer>>
            implements Serializable {
        private final int failing;
        private final String message;

        Failing(int failing, String message) {
            this.failing = failing;
            this.message = message;
        }

        @Override
        public Iterator<Integer> apply(Iterator<Integer> rows) {
            BarrierTaskContext task = BarrierTaskContext.get();
            if (task.stageAttemptNumber() > 0) {
                return rows;
            }
            if (task.partitionId() == failing) {
                throw new IllegalStateException(message);
            }
            while (!task.isInterrupted()) {
                pause(1);
            }
            throw new TaskKilledException();
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("killed", e);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void theTaskThatFailedFirstIsTheCauseThoughTheOthersEndToo(int failing) throws TimeoutException {
        assertThat(heard(failing, "out of luck", true)).containsExactly("java.lang.IllegalStateException: out of luck");
    }

    @Test
    void whatTheExchangeSaysComesWithoutTheNameOfItsException() throws TimeoutException {
        String message = "Cannot exchange gradients in step 3: executor 1 is gone. See its log.";

        assertThat(heard(0, message, true)).containsExactly(message);
    }

    @Test
    void failuresOfOtherStagesAreNotHeard() throws TimeoutException {
        assertThat(heard(0, "out of luck", false)).isEmpty();
    }

    private static List<String> heard(int failing, String message, boolean own) throws TimeoutException {
        SparkContext spark = TestSpark.session().sparkContext();
        RDD<Integer> rows =
                TestSpark.context().parallelize(List.of(0, 1), TASKS).rdd();
        RDD<Integer> tried = rows.barrier()
                .mapPartitions(new Failing(failing, message), false, ClassTag$.MODULE$.apply(Integer.class));
        StageFailures failures = new StageFailures(own ? tried.id() : tried.id() + 1000);
        LateListener late = new LateListener();
        spark.addSparkListener(late);
        spark.addSparkListener(failures);
        try {
            // Spark tries the barrier stage again because a shuffle follows.
            assertThat(tried.toJavaRDD().repartition(1).collect()).containsExactlyInAnyOrder(0, 1);
            spark.listenerBus().waitUntilEmpty();
        } finally {
            spark.removeSparkListener(late);
            spark.removeSparkListener(failures);
        }
        return Stream.generate(failures::take).takeWhile(Objects::nonNull).toList();
    }
}
