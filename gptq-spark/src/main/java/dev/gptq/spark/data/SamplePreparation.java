package dev.gptq.spark.data;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.ValueInfo;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import scala.Tuple2;

/** A dataset that has been checked against the model and can be written as a sample store. */
public final class SamplePreparation {
    private static final Set<ElementType> FEEDABLE =
            EnumSet.of(ElementType.FLOAT32, ElementType.INT32, ElementType.INT64);

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
        SampleEncoder encoder = encoder(config, model);
        SampleSource source =
                isNumpy(config) ? NpySource.open(context, config, encoder) : ParquetSource.open(spark, config, encoder);
        return new SamplePreparation(context, config, encoder, source);
    }

    /** The dataset's files with size and time. */
    public List<String> identity() {
        return source.identity();
    }

    /** Reads the dataset and writes the store; BAD_INPUT with file, row and column for a sample that cannot be used. */
    public StoreIndex write(String folder, long seed) {
        long count = source.count();
        if (count == 0) {
            throw GptqException.badInput("Cannot use dataset '%s': it is empty. Give samples.", config.path());
        }
        long samples = config.limit() == null ? count : Math.min(config.limit(), count);
        return new SampleStoreWriter(spark, folder, encoder.layout(), seed).write(source, count, samples);
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
            found = source.samples(new SampleKeys(0, OrderKey.MAX_HASH)).take(most);
        } catch (Exception e) {
            throw SparkFailures.translate(e, "read dataset '" + config.path() + "'", "Check the dataset.");
        }
        if (found.isEmpty()) {
            throw GptqException.badInput("Cannot use dataset '%s': it is empty. Give samples.", config.path());
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

    private static boolean isNumpy(DatasetConfig config) {
        String format = config.format();
        if (format == null) {
            String path = config.path().toLowerCase(Locale.ROOT);
            return path.endsWith(".npz") || path.endsWith(".npy");
        }
        return format.equals("npz");
    }

    private static SampleEncoder encoder(DatasetConfig config, Graph model) {
        List<SampleLayout.Input> inputs = new ArrayList<>();
        List<InputMapping> mappings = new ArrayList<>();
        for (ValueInfo input : model.inputs()) {
            InputMapping mapping = config.inputs().get(input.name());
            if (mapping == null) {
                throw GptqException.badInput(
                        "Cannot feed model input '%s' from '%s': no column is mapped to it. Add inputs.%s.column.",
                        input.name(), config.path(), input.name());
            }
            if (!FEEDABLE.contains(input.type())) {
                throw GptqException.unsupported(
                        "Cannot feed model input '%s': its type is %s. Export the model with float32, int32 or int64"
                                + " inputs.",
                        input.name(), input.type());
            }
            long[] shape = sampleShape(input, mapping);
            checkChannels(mapping, shape, input.name());
            inputs.add(new SampleLayout.Input(input.name(), input.type(), shape));
            mappings.add(mapping);
        }
        checkNames(config.inputs(), model);
        return new SampleEncoder(new SampleLayout(inputs, config.label() != null), mappings);
    }

    private static long[] sampleShape(ValueInfo input, InputMapping mapping) {
        long[] modelShape =
                input.shape().length == 0 ? new long[0] : Arrays.copyOfRange(input.shape(), 1, input.shape().length);
        long[] shape = mapping.shape() == null ? modelShape : mapping.shape();
        boolean fits = shape.length == modelShape.length;
        for (int axis = 0; fits && axis < shape.length; axis++) {
            fits = modelShape[axis] < 0 || shape[axis] == modelShape[axis];
        }
        if (!fits) {
            throw GptqException.badInput(
                    "Cannot feed model input '%s' with shape %s: the model takes %s. Correct inputs.%s.shape.",
                    input.name(), Arrays.toString(shape), Arrays.toString(modelShape), input.name());
        }
        for (long dimension : shape) {
            if (dimension < 1) {
                throw GptqException.badInput(
                        "Cannot feed model input '%s': its shape %s is open. Set inputs.%s.shape.",
                        input.name(), Arrays.toString(shape), input.name());
            }
        }
        return shape;
    }

    private static void checkChannels(InputMapping mapping, long[] shape, String input) {
        long channels = shape.length == 0 ? 1 : shape[0];
        for (double[] values : Arrays.asList(mapping.mean(), mapping.std())) {
            if (values.length > 1 && values.length != channels) {
                throw GptqException.badInput(
                        "Cannot normalise model input '%s': %d values of mean or std for %d channels. Give one value or one"
                                + " per channel.",
                        input, values.length, channels);
            }
        }
    }

    private static void checkNames(Map<String, InputMapping> mapped, Graph model) {
        List<String> known = model.inputs().stream().map(ValueInfo::name).toList();
        for (String name : mapped.keySet()) {
            if (!known.contains(name)) {
                throw GptqException.badInput(
                        "Cannot map model input '%s': the model has no such input. Use %s.",
                        name, String.join(", ", known));
            }
        }
    }
}
