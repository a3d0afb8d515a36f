package dev.gptq.spark.data;

import dev.gptq.config.DataFormat;
import dev.gptq.config.DatasetConfig;
import dev.gptq.train.UserClasses;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/** Files that Spark SQL reads as a table, or the table of a user's reader. */
final class TableSource implements SampleSource {
    private final TableReader reader;
    private final Dataset<Row> table;
    private final ImageFiles images;
    private final DatasetConfig config;
    private final SampleEncoder encoder;
    private final SampleDecoder decoder;
    private final List<String> identity;
    private final Labels labels;

    private TableSource(
            TableReader reader,
            Dataset<Row> table,
            ImageFiles images,
            DatasetConfig config,
            SampleEncoder encoder,
            SampleDecoder decoder,
            List<String> identity,
            Labels labels) {
        this.reader = reader;
        this.table = table;
        this.images = images;
        this.config = config;
        this.encoder = encoder;
        this.decoder = decoder;
        this.identity = identity;
        this.labels = labels;
    }

    /** {@code decoder} is null when every input is a column of numbers. */
    static TableSource open(SparkSession spark, DatasetConfig config, SampleEncoder encoder, SampleDecoder decoder) {
        TableReader reader = new TableReader(spark, config);
        ImageFiles images = null;
        List<String> identity;
        List<String> classes = config.classes();
        Dataset<Row> table;
        if (config.reader() != null) {
            SampleReader userReader = UserClasses.instantiate(config.reader(), SampleReader.class, "data.reader");
            identity = new ArrayList<>(userReader.identity(spark, config.paths()));
            identity.add(config.reader());
            table = reader.read(userReader);
        } else if (config.resolvedFormat() == DataFormat.IMAGES) {
            boolean folders = classes == null && TableReader.FOLDER.equals(config.label());
            images = ImageFiles.list(config.paths(), folders, JavaSparkContext.fromSparkContext(spark.sparkContext()));
            identity = images.summary().identity();
            classes = folders ? Labels.ofFolders(images.summary().folders()) : classes;
            table = reader.read(images);
        } else {
            List<FileStatus> files =
                    Files.dataFiles(config.paths(), spark.sparkContext().hadoopConfiguration());
            if (files.isEmpty()) {
                throw SamplePreparation.empty(config);
            }
            identity = FileSummary.of(files).identity();
            table = reader.read(files);
        }
        TableColumns columns = new TableColumns(table.schema(), config);
        columns.check(encoder.mappings(), decoder);
        reader.filtered(table);
        return new TableSource(reader, table, images, config, encoder, decoder, identity, new Labels(classes));
    }

    @Override
    public long count() {
        if (images != null && config.table().filter() == null) {
            return images.summary().count();
        }
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
        return config.id() == null && images != null ? TableReader.IMAGE_ID : config.id();
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
        JavaRDD<Row> selected = rows.select(columns.toArray(Column[]::new)).javaRDD();
        if (images != null) {
            JavaSparkContext spark =
                    JavaSparkContext.fromSparkContext(table.sparkSession().sparkContext());
            selected = images.spread(selected.filter(mapping::mayBeWanted), spark);
        }
        return selected.mapPartitionsToPair(mapping);
    }
}
