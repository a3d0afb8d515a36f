package dev.gptq.spark.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import scala.Tuple2;

/** A file's path -> its keyed samples; the arrays in use are read side by side, each through its own stream. */
final class NpyRows implements PairFlatMapFunction<String, OrderKey, byte[]> {
    private final SampleEncoder encoder;
    private final SampleKeys keys;
    private final String idArray;
    private final String labelArray;
    private final Broadcast<SerializableConfiguration> hadoop;

    NpyRows(
            SampleEncoder encoder,
            SampleKeys keys,
            String idArray,
            String labelArray,
            Broadcast<SerializableConfiguration> hadoop) {
        this.encoder = encoder;
        this.keys = keys;
        this.idArray = idArray;
        this.labelArray = labelArray;
        this.hadoop = hadoop;
    }

    @Override
    public Iterator<Tuple2<OrderKey, byte[]>> call(String path) throws IOException {
        Reader reader = new Reader(path);
        TaskContext.get().addTaskCompletionListener((TaskCompletionListener) context -> reader.close());
        return new KeyedIterator<>(reader, keys, reader::keyed);
    }

    /** The open arrays of one file, and its rows' numbers; closed behind the last one, for a task may read many files. */
    private final class Reader implements Iterator<Long> {
        private final String path;
        private final List<NpyArray> inputs = new ArrayList<>();
        private final List<NpyArray> open = new ArrayList<>();
        private final NpyArray ids;
        private final NpyArray labels;
        private long next;

        Reader(String path) throws IOException {
            this.path = path;
            for (var mapping : encoder.mappings()) {
                inputs.add(open(mapping.column()));
            }
            ids = idArray == null ? null : open(idArray);
            labels = labelArray == null ? null : open(labelArray);
        }

        @Override
        public boolean hasNext() {
            if (next < inputs.get(0).header().rows()) {
                return true;
            }
            close();
            return false;
        }

        @Override
        public Long next() {
            return next++;
        }

        private NpyArray open(String name) throws IOException {
            Configuration configuration = hadoop.value().value();
            NpyArray array = NpyArray.open(new Path(path), name, configuration);
            open.add(array);
            return array;
        }

        Tuple2<OrderKey, byte[]> keyed(long index) throws BadRowException {
            String id = null;
            try {
                id = ids == null ? null : String.valueOf(ids.readInteger());
                BadSampleException problem = null;
                ByteBuffer record = encoder.newRecord();
                for (int input = 0; input < inputs.size(); input++) {
                    double[] raw =
                            new double[encoder.layout().inputs().get(input).elements()];
                    inputs.get(input).readRow(raw);
                    problem = put(input, raw, record, problem);
                }
                long label = labels == null ? 0 : labels.readInteger();
                if (problem != null) {
                    throw new BadRowException(new BadRow(path, index, id, problem.getMessage()));
                }
                if (labels != null) {
                    record.putLong(label);
                }
                return keys.key(id, record.array());
            } catch (IOException e) {
                throw Files.unreadable(e, "dataset", path);
            }
        }

        /** Every array is read also when a value cannot be used: the next row follows in all of them. */
        private BadSampleException put(int input, double[] raw, ByteBuffer record, BadSampleException before) {
            try {
                if (before == null) {
                    encoder.putInput(input, raw, record);
                }
                return before;
            } catch (BadSampleException e) {
                return e;
            }
        }

        void close() {
            for (NpyArray array : open) {
                try {
                    array.close();
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            }
        }
    }
}
