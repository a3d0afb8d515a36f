package dev.gptq.spark.data;

import dev.gptq.config.InputMapping;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.TaskCompletionListener;
import scala.Tuple2;

/** Rows of (file, number, start, malformed, wanted, id, label, sources...) -> keyed samples. */
final class TableRows implements PairFlatMapFunction<Iterator<Row>, OrderKey, byte[]> {
    private static final int NUMBER = 1;
    private static final int MALFORMED = 3;
    private static final int WANTED = 4;
    private static final int ID = 5;
    private static final int LABEL = 6;
    private static final int FIRST_SOURCE = 7;
    private static final int LONGEST_ID = 1 << 12;
    private static final int SHOWN_TEXT = 60;

    private final SampleEncoder encoder;
    private final SampleDecoder decoder;
    private final SampleKeys keys;
    private final Labels labels;
    private final String idColumn;
    private final String labelColumn;
    private final List<String> sources;

    TableRows(
            SampleEncoder encoder,
            SampleDecoder decoder,
            SampleKeys keys,
            Labels labels,
            String idColumn,
            String labelColumn) {
        this.encoder = encoder;
        this.decoder = decoder;
        this.keys = keys;
        this.labels = labels;
        this.idColumn = idColumn;
        this.labelColumn = labelColumn;
        LinkedHashSet<String> columns = new LinkedHashSet<>();
        for (InputMapping mapping : encoder.mappings()) {
            if (decoder == null || !decoder.yields(mapping.column())) {
                columns.add(mapping.column());
            }
        }
        if (decoder != null) {
            columns.addAll(decoder.sources());
        }
        this.sources = List.copyOf(columns);
    }

    /** Columns of the dataset that follow the fixed ones. */
    List<String> sources() {
        return sources;
    }

    @Override
    public Iterator<Tuple2<OrderKey, byte[]>> call(Iterator<Row> rows) {
        SampleDecoder.Session session = decoder == null ? null : decoder.open();
        if (session != null) {
            TaskContext.get().addTaskCompletionListener((TaskCompletionListener) context -> session.close());
        }
        RowPlace place = new RowPlace();
        return new KeyedIterator<>(rows, keys, row -> keyed(row, place, session));
    }

    /** Whether a row has to be looked at: the filter takes it, and so may the limit by its id. */
    boolean mayBeWanted(Row row) {
        boolean taken = !row.isNullAt(WANTED) && row.getBoolean(WANTED);
        return taken && (row.isNullAt(ID) || keys.wants(String.valueOf(row.get(ID))));
    }

    private Tuple2<OrderKey, byte[]> keyed(Row row, RowPlace place, SampleDecoder.Session session)
            throws BadRowException {
        place.advance(row);
        if (row.isNullAt(WANTED) || !row.getBoolean(WANTED)) {
            return null;
        }
        try {
            String id = idColumn == null ? null : id(row);
            return keys.wants(id) ? keys.key(id, encode(row, session)) : null;
        } catch (BadSampleException e) {
            String id = idColumn == null || row.isNullAt(ID) ? null : shortened(String.valueOf(row.get(ID)));
            boolean wholeFile = TableReader.IMAGE_ID.equals(idColumn);
            throw new BadRowException(place.bad(!row.isNullAt(NUMBER), wholeFile, id, e.getMessage()));
        }
    }

    /** Text from the data as messages show it: one line of bounded length. */
    private static String shortened(String text) {
        boolean whole = text.length() <= SHOWN_TEXT;
        return (whole ? text : text.substring(0, SHOWN_TEXT) + "...").replaceAll("\\p{Cntrl}", " ");
    }

    private String id(Row row) throws BadSampleException {
        String id = String.valueOf(required(row, ID, idColumn));
        if (id.length() > LONGEST_ID) {
            throw new BadSampleException("the id has " + id.length() + " characters, more than " + LONGEST_ID);
        }
        return id;
    }

    private byte[] encode(Row row, SampleDecoder.Session session) throws BadSampleException {
        if (!row.isNullAt(MALFORMED)) {
            throw new BadSampleException(
                    "it does not have the form of the others: " + shortened(row.getString(MALFORMED)));
        }
        Map<String, SampleDecoder.Values> decoded = session == null ? Map.of() : session.decode(encoded(row));
        ByteBuffer record = encoder.newRecord();
        for (int input = 0; input < encoder.mappings().size(); input++) {
            InputMapping mapping = encoder.mappings().get(input);
            SampleLayout.Input layout = encoder.layout().inputs().get(input);
            SampleDecoder.Values values = decoded.get(mapping.column());
            encoder.putInput(
                    input, values == null ? raw(row, mapping, layout) : fitting(values, mapping, layout), record);
        }
        if (encoder.layout().labelled()) {
            record.putLong(labels.number(required(row, LABEL, labelColumn)));
        }
        if (encoder.layout().hasLengths()) {
            record.putLong(decoded.values().stream()
                    .mapToLong(SampleDecoder.Values::length)
                    .max()
                    .orElse(0));
        }
        return record.array();
    }

    private List<Object> encoded(Row row) throws BadSampleException {
        List<Object> values = new ArrayList<>();
        for (String column : decoder.sources()) {
            values.add(required(row, FIRST_SOURCE + sources.indexOf(column), column));
        }
        return values;
    }

    private static double[] fitting(SampleDecoder.Values values, InputMapping mapping, SampleLayout.Input layout)
            throws BadSampleException {
        if (!Arrays.equals(values.shape(), layout.shape())) {
            throw new BadSampleException("'" + mapping.column() + "' has shape " + Arrays.toString(values.shape())
                    + ", model input '" + layout.name() + "' takes " + Arrays.toString(layout.shape()));
        }
        return values.values();
    }

    private double[] raw(Row row, InputMapping mapping, SampleLayout.Input layout) throws BadSampleException {
        String column = mapping.column();
        Object value = required(row, FIRST_SOURCE + sources.indexOf(column), column);
        double[] raw = new double[layout.elements()];
        if (value instanceof byte[] bytes) {
            readBytes(bytes, RawType.named(mapping.type()), raw, column);
        } else {
            new Flattener(column, layout.shape(), raw).flatten(value);
        }
        return raw;
    }

    private static Object required(Row row, int index, String column) throws BadSampleException {
        if (row.isNullAt(index)) {
            throw new BadSampleException("column '" + column + "' is null");
        }
        return row.get(index);
    }

    private static void readBytes(byte[] bytes, RawType type, double[] raw, String column) throws BadSampleException {
        if (bytes.length != (long) raw.length * type.bytes()) {
            throw new BadSampleException("column '" + column + "' holds " + bytes.length + " bytes instead of "
                    + (long) raw.length * type.bytes());
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < raw.length; i++) {
            raw[i] = type.read(buffer, i * type.bytes());
        }
    }
}
