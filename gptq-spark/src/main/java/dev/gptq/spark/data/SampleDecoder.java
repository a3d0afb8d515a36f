package dev.gptq.spark.data;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.types.DataType;

/** Turns columns that hold something encoded (images, text) into columns of numbers. */
interface SampleDecoder extends Serializable {
    /** The columns it reads. */
    List<String> sources();

    /** Whether a source may have this type, else what it should have, for messages. */
    String expectedType(DataType type);

    /** Whether it yields this column. */
    boolean yields(String column);

    /** Shape of a yielded column's values in every sample, or null when it follows from the sample. */
    long[] shape();

    /** Whether padding may be cut off a yielded column when samples are put together. */
    boolean ragged();

    /** Opens what a task needs. */
    Session open();

    /** Decodes in one task. */
    interface Session extends AutoCloseable {
        /** The sources' values, none of them null -> values by yielded column. */
        Map<String, Values> decode(List<Object> sources) throws BadSampleException;

        @Override
        void close();
    }

    /**
     * Values in row-major order.
     *
     * @param length indices of the first dimension in use; the rest is padding
     */
    record Values(double[] values, long[] shape, long length) {}
}
