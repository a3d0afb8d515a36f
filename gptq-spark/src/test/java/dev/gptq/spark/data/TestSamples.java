package dev.gptq.spark.data;

import dev.gptq.config.DatasetConfig;
import dev.gptq.config.ImageConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.ValueInfo;
import dev.gptq.spark.TestSpark;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Small datasets of samples with shape [1, 2, 2] and the model input they belong to. */
final class TestSamples {
    static final StructType BINARY = new StructType()
            .add("id", DataTypes.LongType)
            .add("image", DataTypes.BinaryType)
            .add("label", DataTypes.IntegerType);
    static final StructType ARRAY = new StructType()
            .add("id", DataTypes.LongType)
            .add("image", DataTypes.createArrayType(DataTypes.DoubleType))
            .add("label", DataTypes.IntegerType);

    private TestSamples() {}

    /** A model without nodes: ingestion looks at its inputs only. */
    static Graph model() {
        return model(-1, 1, 2, 2);
    }

    /** A model of samples with {@code length} numbers. */
    static Graph vector(int length) {
        return model(-1, length);
    }

    private static Graph model(long... shape) {
        ValueInfo input = new ValueInfo("input", ElementType.FLOAT32, shape);
        return new Graph("model", 13, List.of(input), List.of(), Map.of(), List.of());
    }

    static byte[] pixels(int sample) {
        return new byte[] {(byte) sample, (byte) (sample * 7), (byte) (sample * 31), (byte) 200};
    }

    /** Images as they are, of one channel. */
    static ImageConfig grey() {
        return new ImageConfig(
                "image",
                null,
                ImageConfig.Fit.STRETCH,
                ImageConfig.Interpolation.NEAREST,
                false,
                new int[] {2, 2},
                0,
                ImageConfig.Color.GREY,
                ImageConfig.Layout.NCHW,
                true,
                100);
    }

    /** An image whose pixels all have that value. */
    static byte[] png(int value) throws IOException {
        BufferedImage image = new BufferedImage(2, 2, BufferedImage.TYPE_BYTE_GRAY);
        image.getRaster().setPixels(0, 0, 2, 2, new int[] {value, value, value, value});
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return out.toByteArray();
    }

    static List<Row> binaryRows(int count) {
        List<Row> rows = new ArrayList<>();
        for (int sample = 0; sample < count; sample++) {
            rows.add(RowFactory.create((long) sample, pixels(sample), sample % 10));
        }
        return rows;
    }

    static void write(List<Row> rows, StructType schema, int files, String path) {
        TestSpark.session()
                .createDataFrame(rows, schema)
                .repartition(files)
                .write()
                .mode("overwrite")
                .parquet(path);
    }

    static InputMapping uint8() {
        return new InputMapping("image", "uint8", null, 1.0 / 255, new double[] {0.5}, new double[] {0.25});
    }

    static DatasetConfig dataset(String path, InputMapping mapping, Long limit) {
        return new DatasetConfig(path, null, Map.of("input", mapping), "label", "id", limit);
    }
}
