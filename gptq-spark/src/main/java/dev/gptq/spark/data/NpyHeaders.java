package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.graph.TensorData;
import java.io.IOException;
import java.io.Serializable;
import java.util.Arrays;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Checks the headers of the arrays in use.
 *
 * @param label array of labels, or null
 * @param id array of ids, or null
 */
record NpyHeaders(SampleEncoder encoder, String label, String id) implements Serializable {
    /** The same in tasks: a file's path -> its rows, or why it cannot be used. */
    Function<String, Outcome<Long>> onExecutors(JavaSparkContext spark) {
        var hadoop = spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        return path -> Outcome.of(() -> rows(new Path(path), hadoop.value().value()));
    }

    /** The rows of a file; BAD_INPUT when its arrays are not what the model takes. */
    long rows(Path file, Configuration hadoop) {
        long rows = -1;
        for (int input = 0; input < encoder.mappings().size(); input++) {
            String column = encoder.mappings().get(input).column();
            SampleLayout.Input layout = encoder.layout().inputs().get(input);
            NpyHeader header = header(file, column, hadoop);
            if (TensorData.elementCount(header.rowShape()) != layout.elements()
                    || (header.rowShape().length == layout.shape().length
                            && !Arrays.equals(header.rowShape(), layout.shape()))) {
                throw GptqException.badInput(
                        "Cannot use array '%s' of '%s': a sample has shape %s, model input '%s' takes %s. Correct the data"
                                + " or the input's 'shape'.",
                        column,
                        file,
                        Arrays.toString(header.rowShape()),
                        layout.name(),
                        Arrays.toString(layout.shape()));
            }
            rows = sameRows(rows, header, column, file);
        }
        for (String column : Arrays.asList(label, id)) {
            if (column != null) {
                NpyHeader header = header(file, column, hadoop);
                if (!header.isInteger() || TensorData.elementCount(header.rowShape()) != 1) {
                    throw GptqException.badInput(
                            "Cannot use array '%s' of '%s' as label or id: it does not hold one integer per sample. Give an"
                                    + " integer array.",
                            column, file);
                }
                rows = sameRows(rows, header, column, file);
            }
        }
        return rows;
    }

    private static NpyHeader header(Path file, String column, Configuration hadoop) {
        try (NpyArray array = NpyArray.open(file, column, hadoop)) {
            return array.header();
        } catch (IOException e) {
            throw Files.unreadable(e, "dataset", file.toString());
        }
    }

    private static long sameRows(long rows, NpyHeader header, String column, Path file) {
        if (rows >= 0 && rows != header.rows()) {
            throw GptqException.badInput(
                    "Cannot use array '%s' of '%s': it has %d rows, another array has %d. Give arrays of equal length.",
                    column, file, header.rows(), rows);
        }
        return header.rows();
    }
}
