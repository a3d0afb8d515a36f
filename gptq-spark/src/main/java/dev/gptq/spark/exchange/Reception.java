package dev.gptq.spark.exchange;

import java.util.function.Consumer;
import org.apache.spark.network.client.StreamCallbackWithID;

/**
 * Takes in what other members send: the floats of a message go to where its step's inbox, the parameters or the states have
 * room for them. Called on threads of the transport; the gate's lock guards what tasks see of it.
 */
final class Reception {
    private final Members members;
    private final SliceOwners owners;
    private final float[] parameters;
    private final StateGathering states;
    private final TaskGate gate;
    private final Consumer<Throwable> failures;
    private final StepInbox[] inboxes;

    /**
     * @param numbersAt where the numbers of each slice begin among those of a step
     * @param parameters in which new values arrive
     * @param failures hears of failures that other members tell
     */
    Reception(
            Members members,
            SliceOwners owners,
            int[] numbersAt,
            float[] parameters,
            StateGathering states,
            TaskGate gate,
            Consumer<Throwable> failures) {
        this.members = members;
        this.owners = owners;
        this.parameters = parameters;
        this.states = states;
        this.gate = gate;
        this.failures = failures;
        float[][][] parts = new float[members.count()][][];
        // A replicated slice may still be read when the next step's comes in.
        float[][][] others = owners.replicated() ? new float[members.count()][][] : parts;
        this.inboxes = new StepInbox[] {
            new StepInbox(members, owners, numbersAt, parts), new StepInbox(members, owners, numbersAt, others)
        };
    }

    /** The inbox that a step has, in turn with the steps beside it. */
    StepInbox inbox(int step) {
        return inboxes[step & 1];
    }

    /** Where the floats of a message go; refuses what is not expected. */
    StreamCallbackWithID accept(Message message) {
        synchronized (gate) {
            Message.check(
                    message.sender() >= 0 && message.sender() < members.count() && message.sender() != members.self(),
                    "its sender is unknown");
            return sinkOf(message);
        }
    }

    private StreamCallbackWithID sinkOf(Message message) {
        String id = message.kind() + " " + message.step() + " " + message.slice() + " " + message.sender();
        switch (message.kind()) {
            case PART -> {
                StepInbox inbox = expecting(message);
                float[] target = inbox.expectPart(message);
                int position = target == null ? 0 : inbox.partPosition(message.slice());
                int length = target == null ? 0 : owners.size(message.slice());
                return new FloatSink(id, target, position, length, () -> arrived(message));
            }
            case VALUES -> {
                expecting(message).expectValues(message);
                int slice = message.slice();
                return new FloatSink(id, parameters, owners.from(slice), owners.size(slice), () -> arrived(message));
            }
            case STATE -> {
                Message.check(members.self() == 0, "no state is wanted here");
                float[] target = states.expect(message);
                return new FloatSink(
                        id,
                        target,
                        StateGathering.from(message.slice()),
                        StateGathering.size(message.slice(), target.length),
                        () -> stateArrived(message));
            }
            default -> {
                failures.accept(RemoteFailure.decode(message.text()));
                return new FloatSink(id, null, 0, 0, () -> {});
            }
        }
    }

    private StepInbox expecting(Message message) {
        Message.check(inbox(message.step()).step() == message.step(), "its step is over, or far ahead");
        return inbox(message.step());
    }

    private void arrived(Message message) {
        synchronized (gate) {
            inbox(message.step()).arrived(message);
            gate.notifyAll();
        }
    }

    private void stateArrived(Message message) {
        synchronized (gate) {
            states.arrived(message.sender());
            gate.notifyAll();
        }
    }
}
