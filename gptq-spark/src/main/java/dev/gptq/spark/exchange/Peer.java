package dev.gptq.spark.exchange;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.spark.network.buffer.NioManagedBuffer;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;

/** Another member of the stage, as this one reaches it. */
final class Peer {
    private final int index;
    private final Endpoint endpoint;
    private final TransportClient client;

    Peer(int index, Endpoint endpoint, TransportClient client) {
        this.index = index;
        this.endpoint = endpoint;
        this.client = client;
    }

    int index() {
        return index;
    }

    /** For messages. */
    String name() {
        return endpoint.name();
    }

    boolean isConnected() {
        return client.isActive();
    }

    /**
     * Sends a message whose floats are {@code body}; one of the two callbacks hears of it, once, on another thread. (Spark's
     * client tells of a lost connection twice, when the channel closes and when the write fails.)
     */
    void send(Message head, ByteBuffer body, Runnable done, Consumer<Throwable> failed) {
        AtomicBoolean answered = new AtomicBoolean();
        client.uploadStream(new NioManagedBuffer(head.encode()), new NioManagedBuffer(body), new RpcResponseCallback() {
            @Override
            public void onSuccess(ByteBuffer response) {
                if (answered.compareAndSet(false, true)) {
                    done.run();
                }
            }

            @Override
            public void onFailure(Throwable e) {
                if (answered.compareAndSet(false, true)) {
                    failed.accept(e);
                }
            }
        });
    }
}
