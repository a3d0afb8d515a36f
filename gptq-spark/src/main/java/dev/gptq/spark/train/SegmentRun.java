package dev.gptq.spark.train;

import dev.gptq.spark.exchange.Endpoint;
import dev.gptq.spark.exchange.ExchangeException;
import dev.gptq.spark.exchange.ExchangeTransport;
import dev.gptq.spark.exchange.Members;
import dev.gptq.spark.exchange.Participant;
import dev.gptq.spark.exchange.StageKey;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.train.ParameterPiece;
import dev.gptq.train.RoundingTrainer;
import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.TrainerState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.BarrierTaskInfo;
import org.apache.spark.SparkEnv;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One attempt at a segment in this JVM, shared by its tasks. */
final class SegmentRun {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentRun.class);

    private final Segment segment;
    private final SegmentRuns runs;
    private final List<String> addresses;
    private final Members members;
    private final long trainingId;
    private final SegmentSlices slices;
    private final RoundingTrainer trainer;
    private final List<StepResult> history;
    private final StepReporter reporter;
    private final Participant participant;
    private final Endpoint endpoint;
    private int firstPiece;
    private int endPiece;

    /** State in memory at the end of a segment: the same as in its checkpoint, for pieces [firstPiece, endPiece). */
    record Remains(long training, int firstPiece, int endPiece, RoundingTrainer trainer, List<StepResult> history) {}

    private SegmentRun(Segment segment, SegmentRuns runs, ExecutorModels.Lease models, BarrierTaskContext task) {
        this.segment = segment;
        this.runs = runs;
        this.addresses =
                Arrays.stream(task.getTaskInfos()).map(BarrierTaskInfo::address).toList();
        this.members = Members.of(addresses, task.partitionId());
        TrainingLanes.Context training = segment.lanes().context().value();
        this.trainingId = segment.lanes().context().id();
        List<ParameterPiece> pieces =
                RoundingTrainer.pieces(segment.model().value().prepared(), training.plan(), training.config());
        this.slices = SegmentSlices.of(pieces, members);
        int[] own = Participant.ownSlices(members, slices.borders());
        this.firstPiece = slices.firstPiece(own[0]);
        this.endPiece = slices.firstPieces()[own[1]];
        Remains remains = runs.take();
        if (task.stageAttemptNumber() == 0 && fits(remains)) {
            this.trainer = remains.trainer();
            this.history = remains.history();
        } else {
            this.trainer = new RoundingTrainer(
                    segment.model().value().prepared(),
                    training.plan(),
                    training.config(),
                    training.weights(),
                    segment.schedule().totalSteps(),
                    firstPiece,
                    endPiece);
            this.history = new ArrayList<>();
            Optional<Checkpoint> newest = segment.store().newest(LOG::warn);
            newest.ifPresent(checkpoint -> {
                trainer.restore(checkpoint.state());
                history.addAll(checkpoint.history());
            });
        }
        this.reporter = members.self() == 0 && !isDone()
                ? new StepReporter(
                        segment.reports(), segment.reportsParameters(), segment.end() - 1, task::isInterrupted)
                : null;
        SegmentWork work = new SegmentWork(segment, models, trainer, slices, history, reporter);
        this.participant = new Participant(
                new StageKey(task.stageId(), task.stageAttemptNumber()),
                members,
                work,
                Math.min(trainer.step(), segment.end()),
                segment.end(),
                stateLengths(),
                Duration.ofSeconds(segment.timeoutSeconds()));
        this.endpoint = members.count() == 1 ? null : listen(models);
    }

    /** Joins the run of the calling task. */
    static SegmentRun join(Segment segment, ExecutorModels.Lease models, BarrierTaskContext task) {
        SegmentRuns runs = models.shared("segments", SegmentRuns.class, SegmentRuns::new);
        StageKey key = new StageKey(task.stageId(), task.stageAttemptNumber());
        return runs.join(key, () -> new SegmentRun(segment, runs, models, task));
    }

    private boolean fits(Remains remains) {
        return remains != null
                && remains.training() == trainingId
                && remains.trainer().step() == segment.start()
                && remains.firstPiece() == firstPiece
                && remains.endPiece() == endPiece;
    }

    private Endpoint listen(ExecutorModels.Lease models) {
        ExchangeTransport transport = models.shared("exchange", ExchangeTransport.class, ExchangeTransport::ofExecutor);
        participant.listen(transport);
        return new Endpoint(SparkEnv.get().executorId(), transport.host(), transport.port(), trainer.step());
    }

    private List<Integer> stateLengths() {
        return IntStream.range(0, members.count())
                .map(member -> lengths(member).values().stream().reduce(0, Math::addExact))
                .boxed()
                .toList();
    }

    /** What a member hands over, by name. */
    private Map<String, Integer> lengths(int member) {
        int[] own = Participant.ownSlices(new Members(members.tasks(), member), slices.borders());
        return trainer.stateLengths(slices.firstPiece(own[0]), slices.firstPieces()[own[1]]);
    }

    /** Whether an attempt before this one has written the segment's checkpoint. */
    private boolean isDone() {
        return trainer.step() >= segment.end();
    }

    /** Does a task's share. */
    SegmentResult train(BarrierTaskContext task) {
        boolean isFirst = addresses.indexOf(addresses.get(task.partitionId())) == task.partitionId();
        try {
            if (endpoint != null) {
                meet(task);
            }
            if (!isDone()) {
                participant.run(task::isInterrupted);
                if (isFirst) {
                    commit(task);
                }
                // All tasks of this JVM have joined: none could do a step without the others.
                runs.release(this);
            }
            boolean reports = isFirst && members.self() == 0;
            return new SegmentResult(
                    reports ? history.subList(segment.start(), segment.end()) : List.of(),
                    reports && reporter != null ? reporter.layers() : new double[0]);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ExchangeException("Cannot train: the task was interrupted.", e);
        } finally {
            if (isFirst) {
                participant.close();
            }
        }
    }

    /** The stage's one rendezvous: executors tell each other where they listen and which checkpoint they have read. */
    private void meet(BarrierTaskContext task) throws InterruptedException {
        List<Endpoint> byTask = Arrays.stream(task.allGather(endpoint.encode()))
                .map(Endpoint::decode)
                .toList();
        if (byTask.stream().mapToInt(Endpoint::step).distinct().count() > 1) {
            throw new ExchangeException("Cannot train: executors read different checkpoints ("
                    + byTask.stream().map(Endpoint::encode).distinct().toList() + "). The stage is tried again.");
        }
        participant.connect(addresses.stream()
                .distinct()
                .map(address -> byTask.get(addresses.indexOf(address)))
                .toList());
    }

    /** Brings the state together and writes the checkpoint, then keeps this JVM's for the next segment. */
    private void commit(BarrierTaskContext task) {
        TrainerState whole = whole(trainer.state(), task);
        if (whole != null) {
            reporter.awaitCommit();
            segment.store().write(new Checkpoint(whole, history));
        }
        if (segment.end() < segment.schedule().totalSteps()) {
            runs.leave(new Remains(trainingId, firstPiece, endPiece, trainer, history));
        }
    }

    /** The state of all members; null in those that do not write it. */
    private TrainerState whole(TrainerState own, BarrierTaskContext task) {
        if (members.count() == 1) {
            return own;
        }
        List<float[]> states = participant.gatherStates(flatten(own), task::isInterrupted);
        if (states == null || states.size() == 1) {
            return states == null ? null : own;
        }
        List<TrainerState> parts = new ArrayList<>(List.of(own));
        for (int member = 1; member < states.size(); member++) {
            parts.add(unflatten(states.get(member), lengths(member)));
        }
        return TrainerState.join(parts);
    }

    private static float[] flatten(TrainerState state) {
        float[] flat = new float
                [state.arrays().values().stream()
                        .mapToInt(array -> array.length)
                        .sum()];
        int position = 0;
        for (float[] array : state.arrays().values()) {
            System.arraycopy(array, 0, flat, position, array.length);
            position += array.length;
        }
        return flat;
    }

    private TrainerState unflatten(float[] flat, Map<String, Integer> lengths) {
        Map<String, float[]> arrays = new TreeMap<>();
        int position = 0;
        for (Map.Entry<String, Integer> entry : lengths.entrySet()) {
            arrays.put(entry.getKey(), Arrays.copyOfRange(flat, position, position + entry.getValue()));
            position += entry.getValue();
        }
        return new TrainerState(trainer.step(), arrays);
    }

    void fail(RuntimeException cause) {
        participant.fail(cause);
    }
}
