package dev.gptq.spark.exchange;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.spark.TestSpark;
import dev.gptq.train.LaneGradient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.spark.SparkEnv;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Several participants of one stage in this JVM, each with a transport of its own, as if they were executors. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ParticipantTest {
    private static final String HOST = "127.0.0.1";
    private static final int MOST_MEMBERS = 4;
    private static final int FIRST = 3;
    private static final int END = 10;

    private static final List<ExchangeTransport> TRANSPORTS = new ArrayList<>();
    private static ExecutorService threads;
    private static int stages;

    @BeforeAll
    static void open() {
        SparkEnv env = TestSpark.context().sc().env();
        for (int member = 0; member < MOST_MEMBERS; member++) {
            TRANSPORTS.add(new ExchangeTransport(env.conf(), env.securityManager(), HOST, HOST));
        }
        threads = Executors.newCachedThreadPool();
    }

    @AfterAll
    static void close() {
        threads.shutdownNow();
        TRANSPORTS.forEach(ExchangeTransport::close);
    }

    @ParameterizedTest(name = "{1} lanes on JVMs of {0} tasks, {2} elements in slices of {3}, replicated below {4}")
    @CsvSource({
        "1,       4, 1000,    100,  0",
        "3,       4, 1000,    100,  0",
        "1 1,     4, 1000,    100,  0",
        "1 1,     4, 1000,    100,  2000",
        "2 1,     8, 1000,    70,   0",
        "1 2,     4, 1000,    1000, 0",
        "1 1 1,   4, 1000,    10,   0",
        "1 1 1,   4, 1000,    10,   2000",
        "1 1 1 1, 4, 1001,    33,   0",
        "2 2,     4, 1500000, 60000, 0"
    })
    void resultsHaveTheBitsOfOneTask(String tasks, int lanes, int elements, int slice, int replicatedBelow)
            throws Exception {
        SyntheticWork expected = new SyntheticWork(elements, slice, lanes, 3);
        float[] parameters = oracle(expected);
        List<SyntheticWork> works = new ArrayList<>();

        List<List<float[]>> states = run(
                tasks,
                member -> {
                    works.add(new SyntheticWork(elements, slice, lanes, 3));
                    return works.get(member);
                },
                replicatedBelow);

        for (SyntheticWork work : works) {
            assertThat(work.finished).isEqualTo(expected.finished);
            assertThat(work.last).isEqualTo(parameters);
        }
        assertThat(states.get(0)).isNotNull();
        for (int member = 0; member < states.get(0).size(); member++) {
            assertThat(states.get(0).get(member)).hasSize(stateLength(member)).containsOnly(member + 1);
        }
    }

    @Test
    void aFailureThatNoRepetitionHealsReachesAll() throws Exception {
        List<Future<?>> tasks = start(
                "1 1 1",
                member -> new SyntheticWork(300, 10, 4, 100) {
                    @Override
                    public void update(
                            int step, int slice, float[] g, int at, float[] parameters, double[] n, int numbersAt) {
                        if (step == 5 && slice == 29) {
                            throw new GptqException(ErrorCode.DIVERGED, "Cannot go on: too steep. Go slower.");
                        }
                        super.update(step, slice, g, at, parameters, n, numbersAt);
                    }
                },
                Duration.ofSeconds(30),
                0);

        for (Future<?> task : tasks) {
            assertThat(task)
                    .failsWithin(Duration.ofSeconds(20))
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOfSatisfying(GptqException.class, failure -> assertThat(failure.code())
                            .isEqualTo(ErrorCode.DIVERGED))
                    .withMessage("Cannot go on: too steep. Go slower.");
        }
    }

    @Test
    void aStalledMemberIsNamedAfterTheTimeout() throws Exception {
        List<Future<?>> tasks = start(
                "1 1",
                member -> new SyntheticWork(300, 10, 4, 100) {
                    @Override
                    public LaneGradient lane(int step, int lane, float[] parameters) {
                        if (member == 1 && step == 6) {
                            sleep();
                        }
                        return super.lane(step, lane, parameters);
                    }
                },
                Duration.ofSeconds(1),
                0);

        assertThat(tasks.get(0))
                .failsWithin(Duration.ofSeconds(20))
                .withThrowableThat()
                .havingCause()
                .isInstanceOf(ExchangeException.class)
                .withMessageContaining("in step 6")
                .withMessageContaining("no word from executor 1 at 127.0.0.1:"
                        + TRANSPORTS.get(1).port() + " for 1 s");
        tasks.get(1).cancel(true);
    }

    @Test
    void aMemberThatIsGoneIsNamedAtOnce() throws Exception {
        SparkEnv env = TestSpark.context().sc().env();
        ExchangeTransport dying = new ExchangeTransport(env.conf(), env.securityManager(), HOST, HOST);
        ExchangeTransport living = TRANSPORTS.set(1, dying);
        List<Future<?>> tasks = start(
                "1 1",
                member -> new SyntheticWork(300, 10, 4, 100) {
                    @Override
                    public LaneGradient lane(int step, int lane, float[] parameters) {
                        if (member == 1 && step == 6) {
                            dying.close();
                            sleep();
                        }
                        return super.lane(step, lane, parameters);
                    }
                },
                Duration.ofSeconds(50),
                0);
        TRANSPORTS.set(1, living);

        assertThat(tasks.get(0))
                .failsWithin(Duration.ofSeconds(20))
                .withThrowableThat()
                .havingCause()
                .isInstanceOf(ExchangeException.class)
                .withMessageContaining("in step 6")
                .withMessageContaining("executor 1 at 127.0.0.1:" + dying.port() + " is gone");
        tasks.get(1).cancel(true);
    }

    private static void sleep() {
        try {
            Thread.sleep(60_000);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static int stateLength(int member) {
        return 300_000 + member;
    }

    private static float[] oracle(SyntheticWork work) {
        int slices = work.borders().length - 1;
        float[] parameters = new float[work.borders()[slices]];
        for (int slice = 0; slice < slices; slice++) {
            work.write(slice, parameters);
        }
        for (int step = FIRST; step < END; step++) {
            List<LaneGradient> lanes = new ArrayList<>();
            for (int lane = 0; lane < work.lanes(step); lane++) {
                lanes.add(work.lane(step, lane, parameters));
            }
            LaneGradient folded = LaneGradient.fold(lanes);
            double[] numbers =
                    new double[IntStream.range(0, slices).map(work::numbers).sum()];
            int at = 0;
            for (int slice = 0; slice < slices; slice++) {
                work.update(step, slice, folded.gradient(), work.borders()[slice], parameters, numbers, at);
                at += work.numbers(slice);
            }
            work.finish(step, folded.losses(), numbers, parameters);
        }
        return parameters;
    }

    private static List<List<float[]>> run(String tasks, IntFunction<SyntheticWork> works, int replicatedBelow)
            throws Exception {
        List<List<float[]>> states = new ArrayList<>();
        for (Future<?> task : start(tasks, works, Duration.ofSeconds(30), replicatedBelow)) {
            @SuppressWarnings("unchecked")
            List<float[]> state = (List<float[]>) task.get();
            states.add(state);
        }
        return states;
    }

    /** One future per task, in the order of members; the first task of each gathers the states. */
    private static List<Future<?>> start(
            String tasks, IntFunction<SyntheticWork> works, Duration timeout, int replicatedBelow) throws Exception {
        List<Integer> counts = new ArrayList<>();
        for (String count : tasks.trim().split(" ")) {
            counts.add(Integer.valueOf(count));
        }
        StageKey stage = new StageKey(stages++, 0);
        List<Integer> lengths = IntStream.range(0, counts.size())
                .map(ParticipantTest::stateLength)
                .boxed()
                .toList();
        List<Participant> participants = new ArrayList<>();
        List<Endpoint> endpoints = new ArrayList<>();
        for (int member = 0; member < counts.size(); member++) {
            Members members = new Members(counts, member);
            Participant participant =
                    new Participant(stage, members, works.apply(member), FIRST, END, lengths, timeout, replicatedBelow);
            participant.listen(TRANSPORTS.get(member));
            participants.add(participant);
            endpoints.add(new Endpoint(
                    String.valueOf(member), HOST, TRANSPORTS.get(member).port(), FIRST));
        }
        for (Participant participant : participants) {
            participant.connect(endpoints);
        }
        List<Future<?>> futures = new ArrayList<>();
        for (int member = 0; member < counts.size(); member++) {
            float[] state = new float[stateLength(member)];
            Arrays.fill(state, member + 1);
            for (int task = 0; task < counts.get(member); task++) {
                boolean gathers = task == 0;
                Participant participant = participants.get(member);
                Callable<List<float[]>> work = () -> {
                    participant.run(() -> false);
                    return gathers ? participant.gatherStates(state, () -> false) : null;
                };
                futures.add(threads.submit(work));
            }
        }
        return futures;
    }
}
