package dev.gptq.spark.exchange;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.apache.spark.network.client.StreamCallbackWithID;

/**
 * Puts a stream of little-endian floats into an array as its bytes arrive: exactly as many as were agreed on, or none count.
 */
final class FloatSink implements StreamCallbackWithID {
    private final String id;
    private final float[] target;
    private final int end;
    private final Runnable complete;
    private int position;
    /** Bytes of a float whose rest has not come yet, lowest first. */
    private int carried;

    private int carriedBytes;

    /** Fills {@code target} from {@code position} on with {@code length} floats, then calls {@code complete}. */
    FloatSink(String id, float[] target, int position, int length, Runnable complete) {
        this.id = id;
        this.target = target;
        this.position = position;
        this.end = position + length;
        this.complete = complete;
    }

    @Override
    public void onData(String streamId, ByteBuffer bytes) {
        while (carriedBytes > 0 && bytes.hasRemaining()) {
            carry(bytes.get());
        }
        int whole = bytes.remaining() / Float.BYTES;
        Message.check(whole <= end - position, "it is longer than agreed");
        bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(target, position, whole);
        position += whole;
        bytes.position(bytes.position() + whole * Float.BYTES);
        while (bytes.hasRemaining()) {
            carry(bytes.get());
        }
    }

    private void carry(byte next) {
        Message.check(position < end, "it is longer than agreed");
        carried |= (next & 0xff) << (Byte.SIZE * carriedBytes);
        carriedBytes++;
        if (carriedBytes == Float.BYTES) {
            target[position++] = Float.intBitsToFloat(carried);
            carried = 0;
            carriedBytes = 0;
        }
    }

    @Override
    public void onComplete(String streamId) {
        Message.check(position == end && carriedBytes == 0, "it is shorter than agreed");
        complete.run();
    }

    @Override
    public void onFailure(String streamId, Throwable cause) {
        // The sender's connection is gone, which its channel reports.
    }

    @Override
    public String getID() {
        return id;
    }
}
