package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import scala.Tuple2;

/** Maps lazily, leaves out nulls, passes bad rows on where they are kept, and turns a failure into the last element. */
final class KeyedIterator<T> implements Iterator<Tuple2<OrderKey, byte[]>> {
    private final Iterator<T> source;
    private final SampleKeys keys;
    private final Mapping<T> mapping;
    private Tuple2<OrderKey, byte[]> next;
    private boolean ended;

    KeyedIterator(Iterator<T> source, SampleKeys keys, Mapping<T> mapping) {
        this.source = source;
        this.keys = keys;
        this.mapping = mapping;
    }

    /** A row -> its keyed sample, or null when it is not wanted. */
    interface Mapping<T> {
        Tuple2<OrderKey, byte[]> keyed(T row) throws BadRowException;
    }

    @Override
    public boolean hasNext() {
        try {
            while (next == null && !ended && source.hasNext()) {
                next = attempt(source.next());
            }
        } catch (GptqException e) {
            next = SampleKeys.failure(e);
            ended = true;
        }
        return next != null;
    }

    private Tuple2<OrderKey, byte[]> attempt(T row) {
        try {
            return mapping.keyed(row);
        } catch (BadRowException e) {
            if (keys.keepsBadRows()) {
                return SampleKeys.badRow(e.row());
            }
            throw GptqException.badInput(
                    "Cannot use %s. Correct or remove the row, or set bad_rows to skip or quarantine.",
                    e.row().describe());
        }
    }

    @Override
    public Tuple2<OrderKey, byte[]> next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        Tuple2<OrderKey, byte[]> current = next;
        next = null;
        return current;
    }
}
