package dev.gptq.spark.exchange;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** A few direct buffers for floats on their way out: they bound what is in flight, and spare a copy that heap buffers need. */
final class SendBuffers {
    /** Enough to keep a connection busy while answers come back. */
    private static final int COUNT = 16;

    private final Semaphore free = new Semaphore(COUNT);
    private final ConcurrentLinkedQueue<ByteBuffer> idle = new ConcurrentLinkedQueue<>();

    /** A buffer that holds {@code floats} floats from its position to its limit; null when none came free in time. */
    ByteBuffer acquire(int floats, long millis) throws InterruptedException {
        if (!free.tryAcquire(millis, TimeUnit.MILLISECONDS)) {
            return null;
        }
        ByteBuffer buffer = idle.poll();
        int bytes = floats * Float.BYTES;
        if (buffer == null || buffer.capacity() < bytes) {
            buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
        }
        return buffer.clear().limit(bytes);
    }

    /** Gives a buffer back once its bytes have been taken. */
    void release(ByteBuffer buffer) {
        idle.add(buffer);
        free.release();
    }

    /** Gives up a buffer that the transport may still hold, because its message failed; another one takes its place. */
    void drop() {
        free.release();
    }
}
