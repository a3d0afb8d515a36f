package dev.gptq.spark.data;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.BadRowsConfig;
import dev.gptq.config.DataFormat;
import dev.gptq.config.DatasetConfig;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import scala.Tuple2;

/** A dataset that has been checked against the model and can be written as a sample store. */
public final class SamplePreparation {
    private final JavaSparkContext spark;
    private final DatasetConfig config;
    private final SampleEncoder encoder;
    private final SampleSource source;

    private SamplePreparation(
            JavaSparkContext spark, DatasetConfig config, SampleEncoder encoder, SampleSource source) {
        this.spark = spark;
        this.config = config;
        this.encoder = encoder;
        this.source = source;
    }

    /** Opens a dataset and checks what needs no look at the samples: paths, columns, types, shapes of the mapping. */
    public static SamplePreparation open(SparkSession spark, DatasetConfig config, Graph model) {
        JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
        boolean numpy = config.reader() == null && config.resolvedFormat() == DataFormat.NPZ;
        SampleDecoder decoder = numpy ? null : Decoders.of(config, context);
        SampleEncoder encoder = InputLayouts.encoder(config, model, decoder);
        SampleSource source =
                numpy ? NpySource.open(context, config, encoder) : TableSource.open(spark, config, encoder, decoder);
        return new SamplePreparation(context, config, encoder, source);
    }

    /** The dataset's files with size and time. */
    public List<String> identity() {
        return source.identity();
    }

    /**
     * Reads the dataset and writes the store; BAD_INPUT with file, row and column for a sample that cannot be used.
     *
     * @param folder where the store goes
     * @param quarantine folder of the run directory for lists of bad rows; there the file has the dataset's name
     */
    public StoreIndex write(String folder, String quarantine, long seed) {
        long count = source.count();
        if (count == 0) {
            throw empty(config);
        }
        long samples = config.limit() == null ? count : Math.min(config.limit(), count);
        // Without ids every row is decoded to find its place in the order, so bad rows of all the data come up.
        long lookedAt = source.knowsIds() ? samples : count;
        BadRowHandling handling = new BadRowHandling(
                config.badRows(),
                config.badRows().allowed(lookedAt),
                quarantine,
                new Path(folder).getName() + ".jsonl");
        return new SampleStoreWriter(spark, folder, encoder.layout(), seed, handling).write(source, count, samples);
    }

    static GptqException empty(DatasetConfig config) {
        return GptqException.badInput(
                "Cannot use dataset '%s': it is empty%s. Give samples.",
                config.path(), config.table().filter() == null ? "" : " after the filter");
    }

    /** Samples that {@link #write} takes. */
    public long size() {
        long count = source.count();
        return config.limit() == null ? count : Math.min(config.limit(), count);
    }

    /** Bytes of one sample as it is stored. */
    public int sampleBytes() {
        return encoder.layout().recordBytes();
    }

    /** Reads and decodes the first few samples as they lie in the dataset; BAD_INPUT when one of them cannot be used. */
    public SampleBatch first(int most) {
        List<Tuple2<OrderKey, byte[]>> found;
        try {
            boolean keepsBadRows = config.badRows().policy() != BadRowsConfig.Policy.FAIL;
            found = source.samples(new SampleKeys(0, OrderKey.MAX_HASH, keepsBadRows))
                    .filter(sample -> !sample._1().isBadRow())
                    .take(most);
        } catch (Exception e) {
            throw SparkFailures.translate(e, "read dataset '" + config.path() + "'", "Check the dataset.");
        }
        if (found.isEmpty()) {
            throw empty(config);
        }
        ByteArrayOutputStream records = new ByteArrayOutputStream();
        for (Tuple2<OrderKey, byte[]> sample : found) {
            if (sample._1().isFailure()) {
                throw new GptqException(ErrorCode.BAD_INPUT, new String(sample._2(), StandardCharsets.UTF_8));
            }
            records.writeBytes(sample._2());
        }
        return encoder.layout().decode(0, found.size(), records.toByteArray());
    }
}
