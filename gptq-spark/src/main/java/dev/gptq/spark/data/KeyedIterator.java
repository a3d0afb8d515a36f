package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Function;
import scala.Tuple2;

/** Maps lazily, leaves out nulls, and turns the first failure into the last element. */
final class KeyedIterator<T> implements Iterator<Tuple2<OrderKey, byte[]>> {
    private final Iterator<T> source;
    private final Function<T, Tuple2<OrderKey, byte[]>> mapping;
    private Tuple2<OrderKey, byte[]> next;
    private boolean ended;

    KeyedIterator(Iterator<T> source, Function<T, Tuple2<OrderKey, byte[]>> mapping) {
        this.source = source;
        this.mapping = mapping;
    }

    @Override
    public boolean hasNext() {
        try {
            while (next == null && !ended && source.hasNext()) {
                next = mapping.apply(source.next());
            }
        } catch (GptqException e) {
            next = SampleKeys.failure(e);
            ended = true;
        }
        return next != null;
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
