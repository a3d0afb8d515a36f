package dev.gptq.spark.exchange;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.spark.data.FullHeap;
import dev.gptq.spark.task.BlockRun;
import dev.gptq.train.LaneGradient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.spark.TaskKilledException;
import org.apache.spark.network.client.StreamCallbackWithID;

/**
 * This JVM's part in one attempt of a barrier stage, shared by its tasks. In every step tasks compute the JVM's lanes, fold
 * them slice by slice as far as the tree allows, and send the folded slices to the members that own them; owners fold what
 * comes in, update, and send the new parameters to all. Bits are those of one JVM, because every element goes through the
 * same tree and every update is that of its slice. A single JVM sends nothing.
 */
public final class Participant implements AutoCloseable {
    private final StageKey stage;
    private final Members members;
    private final StepWork work;
    private final SliceOwners owners;
    private final TaskGate gate;
    private final Outbox outbox;
    private final int end;
    private final float[] parameters;
    private final int[] numbersAt;
    private final int[] foldOrder;
    private final StateGathering states;
    private final Reception reception;
    private final AtomicInteger nextWrite = new AtomicInteger();
    private final AtomicInteger nextLane = new AtomicInteger();
    private final AtomicInteger nextFold = new AtomicInteger();
    private final AtomicInteger nextUpdate = new AtomicInteger();

    private ExchangeTransport transport;
    private int step;
    private LaneGradient[] gradients = new LaneGradient[0];

    /**
     * Takes part in steps [first, end).
     *
     * @param stateLengths length of what each member hands over with {@link #gatherStates}
     * @param timeout how long to wait for another member in one step
     */
    public Participant(
            StageKey stage,
            Members members,
            StepWork work,
            int first,
            int end,
            List<Integer> stateLengths,
            Duration timeout) {
        this(stage, members, work, first, end, stateLengths, timeout, SliceOwners.REPLICATED_BELOW);
    }

    /** Models of fewer than {@code replicatedBelow} parameters are updated by every member as a whole. */
    Participant(
            StageKey stage,
            Members members,
            StepWork work,
            int first,
            int end,
            List<Integer> stateLengths,
            Duration timeout,
            int replicatedBelow) {
        this.stage = stage;
        this.members = members;
        this.work = work;
        this.end = end;
        this.gate = new TaskGate(members.ownTasks(), timeout, () -> step);
        this.outbox = new Outbox(gate, this::fail);
        this.owners = new SliceOwners(members, work.borders(), replicatedBelow);
        this.parameters = new float[owners.elements()];
        this.numbersAt = new int[owners.slices() + 1];
        for (int slice = 0; slice < owners.slices(); slice++) {
            numbersAt[slice + 1] = numbersAt[slice] + work.numbers(slice);
        }
        this.foldOrder = foldOrder();
        this.states = new StateGathering(stateLengths, end);
        this.reception = new Reception(members, owners, numbersAt, parameters, states, gate, this::fail);
        this.step = first - 1;
        inbox(step).open(step, 0);
        open(first);
    }

    /** The slices that a member of so many would own: a run [first, end). */
    public static int[] ownSlices(Members members, int[] borders) {
        SliceOwners owners = new SliceOwners(members, borders, SliceOwners.REPLICATED_BELOW);
        return new int[] {owners.firstOf(members.self()), owners.endOf(members.self())};
    }

    /** Slices of the next members first, so that not all members send to the same one; own slices last. */
    private int[] foldOrder() {
        int[] order = new int[owners.slices()];
        int start = owners.replicated() ? 0 : owners.endOf(members.self());
        for (int i = 0; i < order.length; i++) {
            order[i] = (start + i) % order.length;
        }
        return order;
    }

    private StepInbox inbox(int ofStep) {
        return reception.inbox(ofStep);
    }

    private void open(int newStep) {
        if (newStep < end) {
            inbox(newStep).open(newStep, work.lanes(newStep));
        }
    }

    /** Makes this JVM reachable for the others' messages. */
    public void listen(ExchangeTransport newTransport) {
        synchronized (gate) {
            transport = newTransport;
            outbox.open(newTransport);
        }
        newTransport.register(stage, this);
    }

    /** Connects to the other members; {@code endpoints} has one per member. Does nothing the second time. */
    public void connect(List<Endpoint> endpoints) throws InterruptedException {
        synchronized (gate) {
            outbox.connect(endpoints, members.self(), step + 1);
        }
    }

    /**
     * Does a task's share of all steps; every task of this JVM has to call it.
     *
     * @param killed whether the task should end
     * @throws GptqException what one of the members cannot go on from
     * @throws ExchangeException when another member is gone or does not answer
     * @throws TaskKilledException when the task was killed
     */
    public void run(BooleanSupplier killed) {
        try {
            writeOwnSlices(killed);
            gate.pass(killed, () -> endStep(killed, false));
            while (step < end) {
                computeLanes(killed);
                gate.pass(killed, this::foldLosses);
                foldSlices(killed);
                updateSlices(killed);
                gate.pass(killed, () -> endStep(killed, true));
            }
        } catch (TaskKilledException e) {
            // Spark ends the others, too.
            throw e;
        } catch (RuntimeException | Error e) {
            fail(e);
            throw e;
        }
    }

    private void writeOwnSlices(BooleanSupplier killed) {
        int first = owners.firstOf(members.self());
        int count = owners.endOf(members.self()) - first;
        for (int i = nextWrite.getAndIncrement(); i < count; i = nextWrite.getAndIncrement()) {
            work.write(first + i, parameters);
            sendValues(first + i, killed);
        }
    }

    private void computeLanes(BooleanSupplier killed) {
        int lanes = inbox(step).lanes();
        int first = members.firstLane(members.self(), lanes);
        int count = members.firstLane(members.self() + 1, lanes) - first;
        for (int i = nextLane.getAndIncrement(); i < count; i = nextLane.getAndIncrement()) {
            gate.check(killed);
            gradients[i] = work.lane(step, first + i, parameters);
        }
    }

    private void foldLosses() {
        synchronized (gate) {
            StepInbox inbox = inbox(step);
            List<BlockRun> runs = inbox.runs(members.self());
            for (int run = 0; run < runs.size(); run++) {
                inbox.setLosses(run, SliceFold.foldLosses(lanesOf(runs.get(run))));
            }
        }
    }

    private List<LaneGradient> lanesOf(BlockRun run) {
        int first = members.firstLane(members.self(), inbox(step).lanes());
        int begin = Math.toIntExact(run.firstBlock()) - first;
        return Arrays.asList(gradients).subList(begin, begin + Math.toIntExact(run.blocks()));
    }

    private void foldSlices(BooleanSupplier killed) {
        StepInbox inbox = inbox(step);
        List<BlockRun> runs = inbox.runs(members.self());
        for (int i = nextFold.getAndIncrement(); i < foldOrder.length; i = nextFold.getAndIncrement()) {
            int slice = foldOrder[i];
            int from = owners.from(slice);
            runs.forEach(run -> SliceFold.foldRun(lanesOf(run), from, from + owners.size(slice)));
            if (owners.replicated()) {
                for (Peer peer : outbox.others()) {
                    sendParts(peer, slice, inbox, killed);
                }
            } else if (!owners.owns(members.self(), slice)) {
                sendParts(outbox.peer(owners.ownerOf(slice)), slice, inbox, killed);
                continue;
            }
            synchronized (gate) {
                inbox.foldedLocally(slice);
                gate.notifyAll();
            }
        }
    }

    private void sendParts(Peer peer, int slice, StepInbox inbox, BooleanSupplier killed) {
        List<BlockRun> runs = inbox.runs(members.self());
        if (runs.isEmpty()) {
            outbox.send(
                    peer,
                    Message.part(stage, step, members.self(), slice, -1, new double[0]),
                    new float[0],
                    0,
                    0,
                    killed);
        }
        for (int run = 0; run < runs.size(); run++) {
            List<LaneGradient> lanes = lanesOf(runs.get(run));
            Message head = Message.part(stage, step, members.self(), slice, run, SliceFold.foldLosses(lanes));
            outbox.send(peer, head, lanes.get(0).gradient(), owners.from(slice), owners.size(slice), killed);
        }
    }

    private void updateSlices(BooleanSupplier killed) {
        StepInbox inbox = inbox(step);
        int first = owners.firstOf(members.self());
        int count = owners.endOf(members.self()) - first;
        for (int i = nextUpdate.getAndIncrement(); i < count; i = nextUpdate.getAndIncrement()) {
            int slice = first + i;
            gate.await(() -> inbox.isComplete(slice), this::missing, killed);
            List<BlockRun> runs = new ArrayList<>();
            List<SliceFold.Part> parts = new ArrayList<>();
            for (BlockRun run : inbox.runs(members.self())) {
                runs.add(run);
                parts.add(new SliceFold.Part(lanesOf(run).get(0).gradient(), owners.from(slice)));
            }
            inbox.addParts(slice, runs, parts);
            SliceFold.Part folded = SliceFold.fold(runs, parts, inbox.lanes(), owners.size(slice));
            work.update(step, slice, folded.values(), folded.position(), parameters, inbox.numbers(), numbersAt[slice]);
            sendValues(slice, killed);
        }
    }

    private void sendValues(int slice, BooleanSupplier killed) {
        if (owners.replicated()) {
            return;
        }
        double[] numbers = Arrays.copyOfRange(inbox(step).numbers(), numbersAt[slice], numbersAt[slice + 1]);
        Message head = Message.values(stage, step, members.self(), slice, numbers);
        for (Peer peer : outbox.others()) {
            outbox.send(peer, head, parameters, owners.from(slice), owners.size(slice), killed);
        }
    }

    /** By the last task of a step, when all of this JVM's share is done. */
    private void endStep(BooleanSupplier killed, boolean trained) {
        StepInbox inbox = inbox(step);
        gate.await(inbox::isComplete, this::missing, killed);
        if (trained) {
            work.finish(step, inbox.losses(), inbox.numbers(), parameters);
        }
        synchronized (gate) {
            open(step + 2);
            step++;
            int lanes = step < end ? inbox(step).lanes() : 0;
            gradients = new LaneGradient
                    [members.firstLane(members.self() + 1, lanes) - members.firstLane(members.self(), lanes)];
            nextLane.set(0);
            nextFold.set(0);
            nextUpdate.set(0);
        }
        if (step < end) {
            work.begin(step, parameters);
        }
    }

    /**
     * Brings what members keep of their slices to the first one; by one task of each JVM, after all steps.
     *
     * @param own this member's state
     * @return every member's in their order, or this member's where each has the whole; null in other JVMs than the first
     */
    public List<float[]> gatherStates(float[] own, BooleanSupplier killed) {
        try {
            if (owners.replicated()) {
                return members.self() == 0 ? List.of(own) : null;
            }
            if (members.self() == 0) {
                gate.await(states::isComplete, this::missing, killed);
                return states.all(own);
            }
            for (int chunk = 0; chunk < StateGathering.chunks(own.length); chunk++) {
                int from = StateGathering.from(chunk);
                Message head = Message.state(stage, end, members.self(), chunk);
                outbox.send(outbox.peer(0), head, own, from, StateGathering.size(chunk, own.length), killed);
            }
            gate.await(outbox::isEmpty, this::missing, killed);
            return null;
        } catch (RuntimeException | Error e) {
            fail(e);
            throw e;
        }
    }

    /** Where the floats of a message go, called on a thread of the transport; refuses what is not expected. */
    StreamCallbackWithID accept(Message message) {
        return reception.accept(message);
    }

    /** Names of members that something is missing from: of those that are connected, or of those that are not. */
    private List<String> missing(boolean connected) {
        return outbox.names(member -> step < end ? inbox(step).isMissing(member) : states.isMissing(member), connected);
    }

    /** Ends this JVM's part; what came first counts. Failures that no repetition heals are told to the others. */
    public void fail(Throwable failure) {
        Throwable cause = failure instanceof OutOfMemoryError full ? FullHeap.of(full) : failure;
        if (gate.fail(cause)
                && cause instanceof GptqException domain
                && domain.code() != ErrorCode.IO
                && !(cause instanceof RemoteFailure)) {
            outbox.tell(Message.failure(stage, step, members.self(), RemoteFailure.encode(domain)));
        }
    }

    @Override
    public void close() {
        synchronized (gate) {
            if (transport != null) {
                transport.unregister(stage);
            }
        }
    }
}
