package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.config.DataFormat;
import dev.gptq.config.DatasetConfig;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.SparkThrowable;
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

    /** The table of a user's reader. */
    Dataset<Row> read(SampleReader userReader) {
        return opened("Repair the reader.", () -> placeless(userReader.read(spark, config.paths())));
    }

    /** A table of image files. */
    Dataset<Row> read(ImageFiles files) {
        return opened("Check the paths.", () -> images(files.table(spark)));
    }

    /** A table that lies in files of a format that Spark SQL reads. */
    Dataset<Row> read(List<FileStatus> files) {
        return opened("Check that it is " + config.resolvedFormat() + ".", () -> table(files));
    }

    private Dataset<Row> opened(String remedy, Callable<Dataset<Row>> opening) {
        Dataset<Row> table;
        try {
            table = opening.call();
        } catch (Exception e) {
            // Spark's AnalysisException is checked in Scala only; Java cannot name it in a catch clause here.
            throw SparkFailures.translate(e, "read dataset '" + config.path() + "'", remedy);
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
            if (e instanceof SparkThrowable known
                    && known.getCondition() != null
                    && known.getCondition().startsWith("UNRESOLVED_COLUMN")) {
                throw GptqException.badInput(
                        "Cannot use %s '%s': there is no column %s, the columns are %s. Correct the Spark SQL expression of"
                                + " data.%s.",
                        key,
                        text,
                        known.getMessageParameters().get("objectName"),
                        TableColumns.own(table.schema()),
                        key);
            }
            throw SparkFailures.translate(
                    e, "use " + key + " '" + text + "'", "Correct the Spark SQL expression of data." + key + ".");
        }
    }

    private Dataset<Row> table(List<FileStatus> files) throws IOException {
        DataFormat format = config.resolvedFormat();
        DataFrameReader reader = spark.read().format(format.toString());
        config.table().options().forEach(reader::option);
        boolean text = format == DataFormat.CSV || format == DataFormat.JSON;
        if (format == DataFormat.CSV && !config.table().options().containsKey("header")) {
            reader.option("header", true);
        }
        if (format == DataFormat.CSV && config.table().schema() == null) {
            reader.option("inferSchema", true);
        }
        if (format == DataFormat.CSV) {
            // With unused columns left out, rows of too few or too many values would pass.
            reader.option("columnPruning", false);
        }
        if (config.table().schema() != null) {
            reader.schema(config.table().schema());
        } else if (format == DataFormat.PARQUET) {
            reader.schema(ParquetSchema.of(files.get(0), spark));
        }
        Configuration hadoop = spark.sparkContext().hadoopConfiguration();
        String[] paths = new String[config.paths().size()];
        for (int i = 0; i < paths.length; i++) {
            paths[i] = Files.pattern(config.paths().get(i), hadoop);
        }
        Dataset<Row> raw = reader.load(paths);
        if (text) {
            StructType schema = raw.schema();
            if (format == DataFormat.CSV && !config.table().options().containsKey("enforceSchema")) {
                // Values go by their position, so every file's header has to be the first one's; Spark calls columns
                // without a name by their number.
                reader.option(
                        "enforceSchema", Arrays.stream(schema.fieldNames()).anyMatch(name -> name.matches("_c[0-9]+")));
            }
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
        return format == DataFormat.CSV || format == DataFormat.JSON
                ? table
                : table.withColumn(MALFORMED, absent(DataTypes.StringType));
    }

    private static Dataset<Row> images(Dataset<Row> files) {
        Column parts = functions.split(functions.col(PATH), "/");
        return files.withColumn(FOLDER, functions.element_at(parts, -2))
                .withColumn(IMAGE_ID, functions.concat_ws("/", functions.col(FOLDER), functions.element_at(parts, -1)))
                .withColumn(FILE, functions.col(PATH))
                .withColumn(ROW, absent(DataTypes.LongType))
                .withColumn(START, functions.lit(0L))
                .withColumn(MALFORMED, absent(DataTypes.StringType));
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
