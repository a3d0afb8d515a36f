package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.InputMapping;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.IntegralType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;

/** A Parquet file or folder; inputs are numeric, array (also nested) or binary columns. */
final class ParquetSource implements SampleSource {
    private final Dataset<Row> table;
    private final DatasetConfig config;
    private final SampleEncoder encoder;
    private final List<FileStatus> files;

    private ParquetSource(Dataset<Row> table, DatasetConfig config, SampleEncoder encoder, List<FileStatus> files) {
        this.table = table;
        this.config = config;
        this.encoder = encoder;
        this.files = files;
    }

    static ParquetSource open(SparkSession spark, DatasetConfig config, SampleEncoder encoder) {
        List<FileStatus> files =
                Files.dataFiles(config.path(), spark.sparkContext().hadoopConfiguration());
        Dataset<Row> table;
        try {
            table = spark.read().parquet(config.path());
        } catch (Exception e) {
            // Spark's AnalysisException is checked in Scala only; Java cannot name it in a catch clause here.
            throw SparkFailures.translate(e, "read dataset '" + config.path() + "'", "Check that it is Parquet.");
        }
        ParquetSource source = new ParquetSource(table, config, encoder, files);
        source.checkColumns();
        return source;
    }

    private void checkColumns() {
        for (InputMapping mapping : encoder.mappings()) {
            DataType type = typeOf(mapping.column());
            DataType element = type;
            while (element instanceof ArrayType array) {
                element = array.elementType();
            }
            boolean binary = type instanceof BinaryType;
            if (!binary && !(element instanceof NumericType) && !(element instanceof BooleanType)) {
                throw GptqException.badInput(
                        "Cannot use column '%s' of '%s': its type is %s. Give a column of numbers, arrays of numbers or"
                                + " binary.",
                        mapping.column(), config.path(), type.simpleString());
            }
            if (binary && RawType.named(mapping.type()) == null) {
                throw GptqException.badInput(
                        "Cannot use binary column '%s' of '%s': element type '%s' is unknown. Set the input's 'type' to"
                                + " uint8, int8, int32, int64, float32 or float64.",
                        mapping.column(), config.path(), mapping.type());
            }
        }
        if (config.label() != null && !(typeOf(config.label()) instanceof IntegralType)) {
            throw GptqException.badInput(
                    "Cannot use label column '%s' of '%s': its type is %s. Give an integer column.",
                    config.label(), config.path(), typeOf(config.label()).simpleString());
        }
        if (config.id() != null
                && !(typeOf(config.id()) instanceof IntegralType || typeOf(config.id()) instanceof StringType)) {
            throw GptqException.badInput(
                    "Cannot use id column '%s' of '%s': its type is %s. Give an integer or string column.",
                    config.id(), config.path(), typeOf(config.id()).simpleString());
        }
    }

    private DataType typeOf(String column) {
        StructType schema = table.schema();
        if (!Arrays.asList(schema.fieldNames()).contains(column)) {
            throw GptqException.badInput(
                    "Cannot find column '%s' in '%s': its columns are %s. Correct the column's name.",
                    column, config.path(), String.join(", ", schema.fieldNames()));
        }
        return schema.apply(column).dataType();
    }

    @Override
    public long count() {
        try {
            return table.count();
        } catch (Exception e) {
            throw SparkFailures.translate(e, "read dataset '" + config.path() + "'", "Check that it is Parquet.");
        }
    }

    @Override
    public List<String> identity() {
        return Files.identity(files);
    }

    @Override
    public JavaPairRDD<OrderKey, byte[]> samples(SampleKeys keys) {
        List<Column> columns = new ArrayList<>();
        columns.add(functions.col("_metadata.file_path"));
        columns.add(functions.col("_metadata.row_index"));
        columns.add(config.id() == null ? functions.lit(null) : quoted(config.id()));
        columns.add(config.label() == null ? functions.lit(null) : quoted(config.label()));
        encoder.mappings().forEach(mapping -> columns.add(quoted(mapping.column())));
        return table.select(columns.toArray(Column[]::new))
                .javaRDD()
                .mapPartitionsToPair(new ParquetRows(encoder, keys, config.id(), config.label()));
    }

    private static Column quoted(String column) {
        return functions.col("`" + column.replace("`", "``") + "`");
    }
}
