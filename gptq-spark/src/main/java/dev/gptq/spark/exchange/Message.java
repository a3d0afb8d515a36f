package dev.gptq.spark.exchange;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The head of what one member sends another; floats follow as a stream.
 *
 * @param stage the stage that both take part in
 * @param step the step it belongs to
 * @param sender index of the sending member
 * @param slice the slice that the floats are of; {@link Kind#STATE}: index of the chunk
 * @param run which of the sender's folded runs; -1 for none
 * @param numbers PART: the run's losses; VALUES: what the slice's update yielded
 * @param text FAILURE: code and message
 */
record Message(Kind kind, StageKey stage, int step, int sender, int slice, int run, double[] numbers, String text) {
    private static final int LONGEST_TEXT = 4096;
    private static final int MOST_NUMBERS = 1 << 16;
    private static final int FORMAT = 0x67707431;

    /** What a message brings. */
    enum Kind {
        /** A sender's folded gradient of a slice. */
        PART,
        /** A slice's new parameters. */
        VALUES,
        /** State of the sender's slices, for a checkpoint. */
        STATE,
        /** Something the run cannot go on from. */
        FAILURE
    }

    static Message part(StageKey stage, int step, int sender, int slice, int run, double[] losses) {
        return new Message(Kind.PART, stage, step, sender, slice, run, losses, "");
    }

    static Message values(StageKey stage, int step, int sender, int slice, double[] numbers) {
        return new Message(Kind.VALUES, stage, step, sender, slice, -1, numbers, "");
    }

    static Message state(StageKey stage, int step, int sender, int chunk) {
        return new Message(Kind.STATE, stage, step, sender, chunk, -1, new double[0], "");
    }

    static Message failure(StageKey stage, int step, int sender, String text) {
        String shortened = text.length() > LONGEST_TEXT / 4 ? text.substring(0, LONGEST_TEXT / 4) : text;
        return new Message(Kind.FAILURE, stage, step, sender, -1, -1, new double[0], shortened);
    }

    ByteBuffer encode() {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        ByteBuffer buffer = ByteBuffer.allocate(10 * Integer.BYTES + numbers.length * Double.BYTES + bytes.length);
        buffer.putInt(FORMAT).putInt(kind.ordinal()).putInt(stage.stage()).putInt(stage.attempt());
        buffer.putInt(step).putInt(sender).putInt(slice).putInt(run);
        buffer.putInt(numbers.length).putInt(bytes.length);
        for (double number : numbers) {
            buffer.putDouble(number);
        }
        return buffer.put(bytes).flip();
    }

    /** Reads what {@link #encode} wrote; anything else is refused. */
    static Message decode(ByteBuffer buffer) {
        check(
                buffer.remaining() >= 10 * Integer.BYTES && buffer.getInt() == FORMAT,
                "it is no message of this program");
        int kind = buffer.getInt();
        check(kind >= 0 && kind < Kind.values().length, "its kind is unknown");
        StageKey stage = new StageKey(buffer.getInt(), buffer.getInt());
        int step = buffer.getInt();
        int sender = buffer.getInt();
        int slice = buffer.getInt();
        int run = buffer.getInt();
        int numbers = buffer.getInt();
        int textLength = buffer.getInt();
        check(
                numbers >= 0
                        && numbers <= MOST_NUMBERS
                        && textLength >= 0
                        && textLength <= LONGEST_TEXT
                        && buffer.remaining() == numbers * Double.BYTES + textLength,
                "its length is wrong");
        double[] values = new double[numbers];
        for (int i = 0; i < numbers; i++) {
            values[i] = buffer.getDouble();
        }
        byte[] text = new byte[textLength];
        buffer.get(text);
        return new Message(
                Kind.values()[kind], stage, step, sender, slice, run, values, new String(text, StandardCharsets.UTF_8));
    }

    static void check(boolean holds, String reason) {
        if (!holds) {
            throw new IllegalArgumentException("Cannot accept a message: " + reason + ".");
        }
    }
}
