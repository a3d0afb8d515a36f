package dev.gptq.spark.data;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.spark.TestSpark;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** In a session of four attempts per task. */
class OutcomeTest {
    private static final AtomicInteger ATTEMPTS = new AtomicInteger();

    @Test
    void whatCouldNotBeReadIsReadByAnotherAttempt() {
        assertThat(run(new FailingTask(ErrorCode.IO, 3))).isEqualTo("attempt 3");
    }

    @Test
    void whatNoAttemptCanReadEndsAsItWasThrown() {
        GptqException failure = catchThrowableOfType(GptqException.class, () -> run(new FailingTask(ErrorCode.IO, 4)));

        assertThat(failure).hasMessage("Cannot do it: no. Do more.");
        assertThat(failure.code()).isEqualTo(ErrorCode.IO);
        assertThat(ATTEMPTS).hasValue(4);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "IO")
    void otherFailuresAreNotTriedAgain(ErrorCode code) {
        GptqException failure = catchThrowableOfType(GptqException.class, () -> run(new FailingTask(code, 4)));

        assertThat(failure.code()).isEqualTo(code);
        assertThat(ATTEMPTS).hasValue(1);
    }

    @Test
    void aFullHeapIsASentenceAndNotTriedAgain() {
        FullHeap failure = catchThrowableOfType(FullHeap.class, () -> run(new GreedyTask()));

        long megabytes = Runtime.getRuntime().maxMemory() >> 20;
        assertThat(failure.during("finish stage train"))
                .hasMessageStartingWith("Cannot finish stage train: the heap of the driver, " + megabytes
                        + " MB, is full. Start with more")
                .hasMessageContaining("--driver-memory");
        assertThat(failure.code()).isEqualTo(ErrorCode.CLUSTER);
        assertThat(ATTEMPTS).hasValue(1);
    }

    @Test
    void aFullHeapIsFoundUnderWhatWrappedIt() {
        Throwable wrapped = new IllegalStateException(new OutOfMemoryError("GC overhead limit exceeded"));

        assertThat(SparkFailures.translate(wrapped, "test", "Stop.")).isInstanceOf(FullHeap.class);
    }

    private static String run(Function<Integer, Outcome<String>> task) {
        ATTEMPTS.set(0);
        try {
            return TestSpark.context()
                    .parallelize(List.of(1), 1)
                    .map(task)
                    .first()
                    .get();
        } catch (Exception e) {
            throw SparkFailures.translate(e, "test", "Stop.");
        }
    }

    private record GreedyTask() implements Function<Integer, Outcome<String>> {
        @Override
        public Outcome<String> call(Integer value) {
            return Outcome.of(() -> {
                ATTEMPTS.incrementAndGet();
                // 16 GB, and the heap of tests has less.
                return String.valueOf(new long[Integer.MAX_VALUE - 8].length);
            });
        }
    }

    private record FailingTask(ErrorCode code, int attempts) implements Function<Integer, Outcome<String>> {
        @Override
        public Outcome<String> call(Integer value) {
            return Outcome.of(() -> {
                ATTEMPTS.incrementAndGet();
                int attempt = TaskContext.get().attemptNumber();
                if (attempt < attempts) {
                    throw new GptqException(code, "Cannot do it: no. Do more.");
                }
                return "attempt " + attempt;
            });
        }
    }
}
