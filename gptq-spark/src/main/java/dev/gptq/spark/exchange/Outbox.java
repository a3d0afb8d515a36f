package dev.gptq.spark.exchange;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntPredicate;

/** What this JVM sends to the other members of a stage: from a few buffers, each until its message is acknowledged. */
final class Outbox {
    private final TaskGate gate;
    private final Consumer<Throwable> failures;
    private final List<Peer> peers = new ArrayList<>();
    private ExchangeTransport transport;
    private int unacknowledged;

    /** {@code failures} hears of messages that did not arrive. */
    Outbox(TaskGate gate, Consumer<Throwable> failures) {
        this.gate = gate;
        this.failures = failures;
    }

    void open(ExchangeTransport newTransport) {
        transport = newTransport;
    }

    /** Connects to the other members than {@code self}; does nothing the second time. */
    void connect(List<Endpoint> endpoints, int self, int step) throws InterruptedException {
        for (int m = peers.size(); m < endpoints.size(); m++) {
            Endpoint endpoint = endpoints.get(m);
            try {
                peers.add(
                        m == self ? null : new Peer(m, endpoint, transport.connect(endpoint.host(), endpoint.port())));
            } catch (IOException | RuntimeException e) {
                throw ExchangeException.inStep(step, endpoint.name() + " cannot be reached (" + e + ")", e);
            }
        }
    }

    /** The other members; none where there is but one JVM. */
    List<Peer> others() {
        return peers.stream().filter(peer -> peer != null).toList();
    }

    Peer peer(int member) {
        return peers.get(member);
    }

    /** Sends {@code length} values from {@code from} on; waits for a free buffer, not for the answer. */
    void send(Peer peer, Message head, float[] values, int from, int length, BooleanSupplier killed) {
        ByteBuffer buffer = acquire(length, peer, head.step(), killed);
        buffer.asFloatBuffer().put(values, from, length);
        synchronized (gate) {
            unacknowledged++;
        }
        Runnable taken = () -> {
            transport.buffers().release(buffer);
            acknowledged();
        };
        peer.send(head, buffer, taken, e -> {
            transport.buffers().drop();
            acknowledged();
            failures.accept(ExchangeException.inStep(head.step(), peer.name() + " is gone (" + e + ")", e));
        });
    }

    private ByteBuffer acquire(int floats, Peer peer, int step, BooleanSupplier killed) {
        long begin = System.nanoTime();
        try {
            while (true) {
                gate.check(killed);
                ByteBuffer buffer = transport.buffers().acquire(floats, TaskGate.PAUSE_MILLIS);
                if (buffer != null) {
                    return buffer;
                }
                if (gate.isLate(begin)) {
                    throw ExchangeException.inStep(step, peer.name() + " takes nothing in for " + gate.limit(), null);
                }
            }
        } catch (InterruptedException e) {
            throw ExchangeException.interrupted(step, e);
        }
    }

    private void acknowledged() {
        synchronized (gate) {
            unacknowledged--;
            gate.notifyAll();
        }
    }

    /** Whether all messages have been taken in; call it with the gate's lock. */
    boolean isEmpty() {
        return unacknowledged == 0;
    }

    /** Tells all others, without waiting. */
    void tell(Message message) {
        for (Peer peer : others()) {
            peer.send(message, ByteBuffer.allocate(0), () -> {}, e -> {});
        }
    }

    /** Names of members that fulfil {@code condition}: of those that are connected, or of those that are not. */
    List<String> names(IntPredicate condition, boolean connected) {
        return others().stream()
                .filter(peer -> peer.isConnected() == connected && condition.test(peer.index()))
                .map(Peer::name)
                .toList();
    }
}
