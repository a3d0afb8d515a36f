package dev.gptq.spark.data;

import dev.gptq.config.DataFormat;
import dev.gptq.config.DatasetConfig;
import dev.gptq.train.UserClasses;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/** Files that Spark SQL reads as a table, or the table of a user's reader. */
final class TableSource implements SampleSource {
    private final TableReader reader;
    private final Dataset<Row> table;
    private final DatasetConfig config;
    private final SampleEncoder encoder;
    private final SampleDecoder decoder;
    private final List<String> identity;
    private final Labels labels;

    private TableSource(
            TableReader reader,
            Dataset<Row> table,
            DatasetConfig config,
            SampleEncoder encoder,
            SampleDecoder decoder,
            List<String> identity,
            Labels labels) {
        this.reader = reader;
        this.table = table;
        this.config = config;
        this.encoder = encoder;
        this.decoder = decoder;
        this.identity = identity;
        this.labels = labels;
    }

    /** {@code decoder} is null when every input is a column of numbers. */
    static TableSource open(SparkSession spark, DatasetConfig config, SampleEncoder encoder, SampleDecoder decoder) {
        SampleReader userReader = config.reader() == null
                ? null
                : UserClasses.instantiate(config.reader(), SampleReader.class, "data.reader");
        List<String> identity;
        List<String> classes = config.classes();
        if (userReader == null) {
            List<FileStatus> files =
                    Files.dataFiles(config.paths(), spark.sparkContext().hadoopConfiguration());
            identity = Files.identity(files);
            if (classes == null && isFolder(config)) {
                classes = Labels.ofFolders(files.stream()
                        .map(file -> file.getPath().getParent().getName())
                        .toList());
            }
        } else {
            identity = new ArrayList<>(userReader.identity(spark, config.paths()));
            identity.add(config.reader());
        }
        TableReader reader = new TableReader(spark, config);
        Dataset<Row> table = reader.read(userReader);
        TableColumns columns = new TableColumns(table.schema(), config);
        columns.check(encoder.mappings(), decoder);
        reader.filtered(table);
        return new TableSource(reader, table, config, encoder, decoder, identity, new Labels(classes));
    }

    private static boolean isFolder(DatasetConfig config) {
        return config.resolvedFormat() == DataFormat.IMAGES && TableReader.FOLDER.equals(config.label());
    }

    @Override
    public long count() {
        try {
            return reader.filtered(table).count();
        } catch (Exception e) {
            throw SparkFailures.translate(e, "read dataset '" + config.path() + "'", remedy());
        }
    }

    private String remedy() {
        return "Check that it is " + config.resolvedFormat() + " and that columns and filter suit it.";
    }

    @Override
    public boolean knowsIds() {
        return idColumn() != null;
    }

    @Override
    public List<String> identity() {
        return identity;
    }

    private String idColumn() {
        boolean files = config.reader() == null && config.resolvedFormat() == DataFormat.IMAGES;
        return config.id() == null && files ? TableReader.IMAGE_ID : config.id();
    }

    @Override
    public JavaPairRDD<OrderKey, byte[]> samples(SampleKeys keys) {
        // Parquet's rows are numbered by its reader; elsewhere rows are counted, so all of them have to come by.
        boolean numbered = config.reader() == null && config.resolvedFormat() == DataFormat.PARQUET;
        Dataset<Row> rows = numbered ? reader.filtered(table) : table;
        String filter = config.table().filter();
        TableRows mapping = new TableRows(encoder, decoder, keys, labels, idColumn(), config.label());
        List<Column> columns = new ArrayList<>();
        for (String column : List.of(TableReader.FILE, TableReader.ROW, TableReader.START, TableReader.MALFORMED)) {
            columns.add(TableColumns.quoted(column));
        }
        columns.add(numbered || filter == null ? functions.lit(true) : functions.expr(filter));
        columns.add(idColumn() == null ? functions.lit(null) : TableColumns.quoted(idColumn()));
        columns.add(config.label() == null ? functions.lit(null) : TableColumns.quoted(config.label()));
        mapping.sources().forEach(column -> columns.add(TableColumns.quoted(column)));
        return rows.select(columns.toArray(Column[]::new)).javaRDD().mapPartitionsToPair(mapping);
    }
}
