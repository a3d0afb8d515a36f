package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.io.Closeable;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;

/** Counts bad rows against their budget, and lists them in the run directory where that is asked for. */
final class BadRowLog implements Closeable {
    private final BadRowHandling handling;
    private final Configuration hadoop;
    private RecordFileWriter list;
    private BadRow first;
    private long count;

    BadRowLog(BadRowHandling handling, Configuration hadoop) {
        this.handling = handling;
        this.hadoop = hadoop;
    }

    /** Adds a row's JSON; BAD_INPUT when it is one too many. */
    void add(byte[] json) throws IOException {
        count++;
        if (first == null) {
            first = BadRow.fromJson(json);
        }
        if (count > handling.allowed()) {
            throw GptqException.badInput(
                    "Cannot use the dataset: more than %d rows are bad, the first is %s. Correct the data, or raise"
                            + " bad_rows_budget (%s).",
                    handling.allowed(), first.describe(), handling.config().budget());
        }
        if (handling.quarantines()) {
            if (list == null) {
                list = new RecordFileWriter(handling.quarantineFolder(), handling.quarantineFile(), hadoop);
            }
            list.write(json);
            list.write(new byte[] {'\n'});
        }
    }

    long count() {
        return count;
    }

    /** Puts the list in its place. */
    void commit() throws IOException {
        if (list != null) {
            list.commit();
        }
    }

    @Override
    public void close() throws IOException {
        if (list != null) {
            list.close();
        }
    }
}
