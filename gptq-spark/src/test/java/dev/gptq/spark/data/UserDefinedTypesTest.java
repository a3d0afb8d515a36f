package dev.gptq.spark.data;

import dev.gptq.spark.TestSpark;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.UserDefinedType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** A Parquet file can name a class; Spark would load it to read the file. */
class UserDefinedTypesTest {
    private static final AtomicInteger LOADED = new AtomicInteger();

    @TempDir
    private Path folder;

    /** An array that is something else to Spark. */
    public static final class Picture extends UserDefinedType<double[]> {
        public Picture() {
            LOADED.incrementAndGet();
        }

        @Override
        public DataType sqlType() {
            return DataTypes.createArrayType(DataTypes.DoubleType);
        }

        @Override
        public ArrayData serialize(double[] values) {
            return new GenericArrayData(values);
        }

        @Override
        public double[] deserialize(Object datum) {
            return ((ArrayData) datum).toDoubleArray();
        }

        @Override
        public Class<double[]> userClass() {
            return double[].class;
        }
    }

    @Test
    void aParquetFileLoadsNoClassThatItNames() {
        StructType schema = new StructType()
                .add("id", DataTypes.LongType)
                .add("image", new Picture())
                .add("label", DataTypes.IntegerType);
        List<Row> rows = List.of(RowFactory.create(1L, new double[] {1, 2, 3, 4}, 0));
        String table = folder.resolve("table").toString();
        TestSamples.write(rows, schema, 1, table);
        LOADED.set(0);
        TestSpark.session().read().parquet(table).schema();
        assertThat(LOADED).as("what Spark itself does").hasPositiveValue();
        LOADED.set(0);

        SamplePreparation.open(
                        TestSpark.session(),
                        TestSamples.dataset(table, dev.gptq.config.InputMapping.of("image"), null),
                        TestSamples.model())
                .write(
                        folder.resolve("store").toString(),
                        folder.resolve("quarantine").toString(),
                        3);

        assertThat(LOADED).hasValue(0);
        assertThat(SampleStore.open(
                                folder.resolve("store").toString(),
                                TestSpark.context().hadoopConfiguration())
                        .read(0, 1)
                        .inputs()
                        .get("input")
                        .floats())
                .containsExactly(1, 2, 3, 4);
    }
}
