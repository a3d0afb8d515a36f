package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Iterator;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.apache.spark.sql.Row;
import scala.Tuple2;

/** Rows of (file, row index, id, label, inputs...) -> keyed samples; ends at the first row that cannot be used. */
final class ParquetRows implements PairFlatMapFunction<Iterator<Row>, OrderKey, byte[]> {
    private static final int FILE = 0;
    private static final int ROW_INDEX = 1;
    private static final int ID = 2;
    private static final int LABEL = 3;
    private static final int FIRST_INPUT = 4;

    private final SampleEncoder encoder;
    private final SampleKeys keys;
    private final String idColumn;
    private final String labelColumn;

    ParquetRows(SampleEncoder encoder, SampleKeys keys, String idColumn, String labelColumn) {
        this.encoder = encoder;
        this.keys = keys;
        this.idColumn = idColumn;
        this.labelColumn = labelColumn;
    }

    @Override
    public Iterator<Tuple2<OrderKey, byte[]>> call(Iterator<Row> rows) {
        return new KeyedIterator<>(rows, this::keyed);
    }

    private Tuple2<OrderKey, byte[]> keyed(Row row) {
        try {
            String id = idColumn == null ? null : String.valueOf(required(row, ID, idColumn));
            return keys.wants(id) ? keys.key(id, encode(row)) : null;
        } catch (BadSampleException e) {
            throw GptqException.badInput(
                    "Cannot use row %d of '%s'%s: %s. Correct or remove the row.",
                    row.getLong(ROW_INDEX),
                    row.getString(FILE),
                    idColumn == null || row.isNullAt(ID) ? "" : " (" + idColumn + " " + row.get(ID) + ")",
                    e.getMessage());
        }
    }

    private byte[] encode(Row row) throws BadSampleException {
        ByteBuffer record = encoder.newRecord();
        for (int input = 0; input < encoder.mappings().size(); input++) {
            String column = encoder.mappings().get(input).column();
            long[] shape = encoder.layout().inputs().get(input).shape();
            Object value = required(row, FIRST_INPUT + input, column);
            double[] raw = new double[encoder.layout().inputs().get(input).elements()];
            if (value instanceof byte[] bytes) {
                readBytes(bytes, RawType.named(encoder.mappings().get(input).type()), raw, column);
            } else {
                new Flattener(column, shape, raw).flatten(value);
            }
            encoder.putInput(input, raw, record);
        }
        if (encoder.layout().labelled()) {
            record.putLong(((Number) required(row, LABEL, labelColumn)).longValue());
        }
        return record.array();
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
