package dev.gptq.spark.data;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import scala.Tuple2;

/** Sorted samples of one partition -> one file; bad rows, which come first, are counted and listed on the way. */
record StoreFileTask(String folder, BadRowHandling handling, Broadcast<SerializableConfiguration> hadoop)
        implements Function2<Integer, Iterator<Tuple2<OrderKey, byte[]>>, Iterator<Outcome<StoreFileTask.Result>>> {
    /** What one partition gave. */
    record Result(StoreIndex.StoreFile file, long badRows) implements Serializable {}

    @Override
    public Iterator<Outcome<Result>> call(Integer partition, Iterator<Tuple2<OrderKey, byte[]>> samples) {
        return List.of(Outcome.of(() -> write(partition, samples))).iterator();
    }

    private Result write(int partition, Iterator<Tuple2<OrderKey, byte[]>> samples) {
        String name = String.format(Locale.ROOT, "part-%05d.bin", partition);
        Configuration configuration = hadoop.value().value();
        try (BadRowLog badRows = new BadRowLog(handling, configuration);
                RecordFileWriter out = new RecordFileWriter(folder, name, configuration)) {
            while (samples.hasNext()) {
                Tuple2<OrderKey, byte[]> sample = samples.next();
                if (sample._1().isFailure()) {
                    throw new GptqException(ErrorCode.BAD_INPUT, new String(sample._2(), StandardCharsets.UTF_8));
                } else if (sample._1().isBadRow()) {
                    badRows.add(sample._2());
                } else {
                    out.write(sample._2());
                }
            }
            badRows.commit();
            return new Result(out.commit(), badRows.count());
        } catch (IOException e) {
            throw SampleStoreWriter.unwritable(e, folder);
        }
    }
}
