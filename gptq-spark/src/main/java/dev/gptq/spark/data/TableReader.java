package dev.gptq.spark.data;

import dev.gptq.config.DataFormat;
import dev.gptq.config.DatasetConfig;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Opens a dataset as a table of its own columns, those that the configuration adds, and each row's place. */
final class TableReader {
    /** Columns that are added: file, number in the file (null: count), start of the part of the file, malformed text. */
    static final String FILE = "gptq.file";

    static final String ROW = "gptq.row";
    static final String START = "gptq.start";
    static final String MALFORMED = "gptq.malformed";

    /** Columns of image files. */
    static final String FOLDER = "folder";

    static final String PATH = "path";
    static final String IMAGE_ID = "gptq.id";

    private final SparkSession spark;
    private final DatasetConfig config;

    TableReader(SparkSession spark, DatasetConfig config) {
        this.spark = spark;
        this.config = config;
    }

    Dataset<Row> read(SampleReader userReader) {
        String reader = "read dataset '" + config.path() + "'";
        Dataset<Row> table;
        try {
            table = userReader == null ? files() : placeless(userReader.read(spark, config.paths()));
        } catch (Exception e) {
            // Spark's AnalysisException is checked in Scala only; Java cannot name it in a catch clause here.
            String remedy = userReader == null ? "Check that it is " + config.resolvedFormat() : "Repair the reader";
            throw SparkFailures.translate(e, reader, remedy + ".");
        }
        for (Map.Entry<String, String> column : config.table().columns().entrySet()) {
            SqlExpressions.check(spark, column.getValue(), "columns." + column.getKey());
            table = attempt(
                    "columns." + column.getKey(),
                    column.getValue(),
                    table,
                    before -> before.withColumn(column.getKey(), functions.expr(column.getValue())));
        }
        return table;
    }

    /** The rows that the filter takes. */
    Dataset<Row> filtered(Dataset<Row> table) {
        String filter = config.table().filter();
        if (filter == null) {
            return table;
        }
        SqlExpressions.check(spark, filter, "filter");
        return attempt("filter", filter, table, before -> before.where(functions.expr(filter)));
    }

    private interface Step {
        Dataset<Row> apply(Dataset<Row> table);
    }

    private static Dataset<Row> attempt(String key, String text, Dataset<Row> table, Step step) {
        try {
            return step.apply(table);
        } catch (Exception e) {
            throw SparkFailures.translate(
                    e, "use " + key + " '" + text + "'", "Correct the Spark SQL expression of data." + key + ".");
        }
    }

    private Dataset<Row> files() {
        DataFormat format = config.resolvedFormat();
        DataFrameReader reader = spark.read().format(format == DataFormat.IMAGES ? "binaryFile" : format.toString());
        config.table().options().forEach(reader::option);
        boolean text = format == DataFormat.CSV || format == DataFormat.JSON;
        if (format == DataFormat.CSV && !config.table().options().containsKey("header")) {
            reader.option("header", true);
        }
        if (format == DataFormat.CSV && config.table().schema() == null) {
            reader.option("inferSchema", true);
        }
        if (format == DataFormat.IMAGES) {
            // Folders are classes here, not partitions of a table.
            reader.option("recursiveFileLookup", true);
        }
        if (config.table().schema() != null) {
            reader.schema(config.table().schema());
        }
        String[] paths = config.paths().toArray(String[]::new);
        Dataset<Row> raw = reader.load(paths);
        if (text) {
            StructType schema = raw.schema();
            raw = reader.option("columnNameOfCorruptRecord", MALFORMED)
                    .schema(schema.add(MALFORMED, DataTypes.StringType))
                    .load(paths);
        }
        return placed(raw, format);
    }

    private static Dataset<Row> placed(Dataset<Row> raw, DataFormat format) {
        Column place = raw.metadataColumn("_metadata");
        Column row = format == DataFormat.PARQUET ? place.getField("row_index") : absent(DataTypes.LongType);
        Dataset<Row> table = raw.select(
                functions.col("*"),
                place.getField("file_path").as(FILE),
                row.as(ROW),
                place.getField("file_block_start").as(START));
        if (format == DataFormat.IMAGES) {
            Column parts = functions.split(functions.col(PATH), "/");
            table = table.withColumn(FOLDER, functions.element_at(parts, -2))
                    .withColumn(
                            IMAGE_ID, functions.concat_ws("/", functions.col(FOLDER), functions.element_at(parts, -1)));
        }
        return format == DataFormat.CSV || format == DataFormat.JSON
                ? table
                : table.withColumn(MALFORMED, absent(DataTypes.StringType));
    }

    private Dataset<Row> placeless(Dataset<Row> table) {
        return table.withColumn(FILE, functions.lit(config.path()))
                .withColumn(ROW, absent(DataTypes.LongType))
                .withColumn(START, functions.lit(0L))
                .withColumn(MALFORMED, absent(DataTypes.StringType));
    }

    private static Column absent(org.apache.spark.sql.types.DataType type) {
        return functions.lit(null).cast(type);
    }
}
