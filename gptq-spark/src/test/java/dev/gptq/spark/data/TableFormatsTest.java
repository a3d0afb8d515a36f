package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.DatasetConfigBuilder;
import dev.gptq.config.InputMapping;
import dev.gptq.config.TableConfig;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Every format that Spark SQL reads gives the samples that Parquet gives. */
class TableFormatsTest {
    private static final int COUNT = 40;
    private static final StructType NESTED = new StructType()
            .add("id", DataTypes.LongType)
            .add("image", DataTypes.createArrayType(DataTypes.createArrayType(DataTypes.DoubleType)))
            .add("label", DataTypes.IntegerType);

    @TempDir
    private static Path folder;

    private static String expected;

    @BeforeAll
    static void writeParquet() {
        table().write().parquet(path("table.parquet"));
        expected = prepare(dataset("table.parquet")).toJson();
    }

    private static Dataset<Row> table() {
        List<Row> rows = new ArrayList<>();
        for (long id = 0; id < COUNT; id++) {
            double[][] image = {{id, 2.5}, {-1, id / 8.0}};
            rows.add(RowFactory.create(id, image, (int) id % 10));
        }
        return TestSpark.session().createDataFrame(rows, NESTED).repartition(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"orc", "json", "avro"})
    void formatsOfNestedArraysGiveTheSameSamples(String format) {
        table().write().format(format).save(path("table." + format));

        assertThat(prepare(dataset("table." + format)).toJson()).isEqualTo(expected);
    }

    @Test
    void csvGivesThemThroughAnExpression() {
        table().selectExpr("id", "image[0][0] a", "image[0][1] b", "image[1][0] c", "image[1][1] d", "label")
                .write()
                .option("header", true)
                .csv(path("table.csv"));
        TableConfig table = new TableConfig(null, Map.of(), Map.of("image", "array(a, b, c, d)"), null);

        assertThat(prepare(builder("table.csv").optTable(table).build()).toJson())
                .isEqualTo(expected);
    }

    @Test
    void csvWithoutHeaderIsReadByItsSchema() throws IOException {
        List<String> lines = new ArrayList<>();
        for (int id = 0; id < COUNT; id++) {
            lines.add(id + ";" + id + " 2.5 -1 " + id / 8.0 + ";" + id % 10);
        }
        Files.write(folder.resolve("split.csv"), lines);
        TableConfig table = new TableConfig(
                "id long, pixels string, label int",
                Map.of("sep", ";", "header", "false"),
                Map.of("image", "cast(split(pixels, ' ') as array<double>)"),
                null);

        assertThat(prepare(builder("split.csv").optTable(table).build()).toJson())
                .isEqualTo(expected);
    }

    @Test
    void linesOfTextAreSamples() throws IOException {
        List<String> lines = new ArrayList<>();
        for (int id = 0; id < COUNT; id++) {
            lines.add(id + " 2.5 -1 " + id / 8.0);
        }
        Files.write(folder.resolve("lines.txt"), lines);
        TableConfig table = new TableConfig(
                null,
                Map.of(),
                Map.of(
                        "id", "cast(split(value, ' ')[0] as long)",
                        "label", "cast(split(value, ' ')[0] as int) % 10",
                        "image", "cast(split(value, ' ') as array<double>)"),
                null);

        assertThat(prepare(builder("lines.txt").optTable(table).build()).toJson())
                .isEqualTo(expected);
    }

    @Test
    void severalPathsAndGlobsAreOneDataset() {
        table().where("id < 10").write().parquet(path("parts/a.parquet"));
        table().where("id >= 10 and id < 30").write().parquet(path("parts/b1.parquet"));
        table().where("id >= 30").write().parquet(path("parts/b2.parquet"));
        DatasetConfig config = builder("parts/a.parquet", "parts/b*.parquet").build();

        assertThat(prepare(config).toJson()).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"parquet", "json"})
    void aFilterLeavesRowsOut(String format) {
        table().where("id % 4 = 1").write().parquet(path(format + "-some.parquet"));
        table().write().format(format).save(path("all-for-filter." + format));
        TableConfig table = new TableConfig(null, Map.of(), Map.of("quarter", "id % 4"), "quarter = 1");

        StoreIndex index =
                prepare(builder("all-for-filter." + format).optTable(table).build());

        assertThat(index.toJson())
                .isEqualTo(prepare(dataset(format + "-some.parquet")).toJson());
        assertThat(index.samples()).isEqualTo(COUNT / 4);
    }

    @Test
    void aSampleOfManyRowsIsTheSameFromEveryFormatAndPartitioning() {
        Dataset<Row> many = TestSpark.session()
                .range(5000)
                .selectExpr("id", "array(id, id + 1, id * 2, 7) image", "cast(id % 10 as int) label");
        many.repartition(1).write().parquet(path("many.parquet"));
        many.repartition(9).write().json(path("many.json"));

        StoreIndex parquet = prepare(builder("many.parquet").optLimit(200L).build());

        assertThat(prepare(builder("many.json").optLimit(200L).build()).toJson())
                .isEqualTo(parquet.toJson());
        assertThat(parquet.samples()).isEqualTo(200);
        // Only those that the limit may take are sorted and stored, with the margin of their random number.
        assertThat(parquet.files().stream()
                        .mapToLong(StoreIndex.StoreFile::samples)
                        .sum())
                .isBetween(200L, 400L);
    }

    @Test
    void labelsThatAreTextAreNumberedByTheirClasses() {
        TestSpark.session()
                .sql("select 1L id, array(1, 2, 3, 4) image, 'dog' label")
                .write()
                .orc(path("named.orc"));

        prepare(builder("named.orc").optClasses(List.of("cat", "dog")).build());

        assertThat(SampleStore.open(path("store"), TestSpark.context().hadoopConfiguration())
                        .read(0, 1)
                        .labels())
                .containsExactly(1);
        refused(builder("named.orc").optClasses(List.of("cat")).build(), "label 'dog' is none of the classes");
        refused(builder("named.orc").build(), "its type is string", "'classes'");
    }

    @Test
    void expressionsThatAreWrongOrReachOutsideAreRefused() {
        refusedFilter("id >", "Cannot use filter 'id >'");
        refusedFilter("nothing = 1", "Cannot use filter 'nothing = 1'");
        refusedFilter("image", "Cannot use filter 'image'");
        refusedFilter("java_method('java.lang.System', 'exit', 1) = 'x'", "calls Java methods");
        refusedFilter("id in (select 1)", "reads other data");
        TableConfig columns = new TableConfig(null, Map.of(), Map.of("x", "1 + reflect('a.B', 'c')"), null);
        refused(builder("table.parquet").optTable(columns).build(), "columns.x", "calls Java methods");
        TableConfig schema = new TableConfig("id lon", Map.of(), Map.of(), null);
        refused(builder("table.parquet").optTable(schema).build(), "Cannot read dataset");
    }

    private static void refusedFilter(String filter, String reason) {
        TableConfig table = new TableConfig(null, Map.of(), Map.of(), filter);
        refused(builder("table.parquet").optTable(table).build(), reason);
    }

    @Test
    void anExpressionThatFailsOnARowIsBadInput() {
        TableConfig table = new TableConfig(null, Map.of(), Map.of(), "10 div (id - 5) > 0");

        refused(builder("table.parquet").optTable(table).build(), "Cannot ", "DIVIDE_BY_ZERO");
    }

    @Test
    void aFilterThatLeavesNothingIsNamed() {
        TableConfig table = new TableConfig(null, Map.of(), Map.of(), "id < 0");

        refused(builder("table.parquet").optTable(table).build(), "it is empty after the filter");
    }

    @Test
    void aUsersReaderYieldsTheTable() {
        DatasetConfig config = DatasetConfig.builder(path("table.parquet"))
                .setInputs(Map.of("input", InputMapping.of("image")))
                .optLabel("label")
                .optId("id")
                .optReader(Doubled.class.getName())
                .build();
        SamplePreparation opened = SamplePreparation.open(TestSpark.session(), config, TestSamples.model());

        assertThat(prepare(config).samples()).isEqualTo(2 * COUNT);
        assertThat(opened.identity()).containsExactly("version 3", Doubled.class.getName());
        refused(
                DatasetConfig.builder("x")
                        .setInputs(Map.of("input", InputMapping.of("image")))
                        .optReader(String.class.getName())
                        .build(),
                "data.reader",
                SampleReader.class.getName());
    }

    /** Every row of a Parquet file twice, the second time with another id. */
    public static final class Doubled implements SampleReader {
        @Override
        public Dataset<Row> read(SparkSession spark, List<String> paths) {
            Dataset<Row> once = spark.read().parquet(paths.get(0));
            return once.union(once.selectExpr("id + 1000 as id", "image", "label"));
        }

        @Override
        public List<String> identity(SparkSession spark, List<String> paths) {
            return List.of("version 3");
        }
    }

    private static void refused(DatasetConfig config, String... parts) {
        assertThatThrownBy(() -> prepare(config))
                .isInstanceOf(GptqException.class)
                .hasMessageContainingAll(parts)
                .satisfies(failure ->
                        assertThat(failure.getMessage()).startsWith("Cannot ").doesNotContain("\n"));
    }

    private static DatasetConfig dataset(String name) {
        return builder(name).build();
    }

    private static DatasetConfigBuilder builder(String... names) {
        return DatasetConfig.builder(
                        Arrays.stream(names).map(TableFormatsTest::path).toArray(String[]::new))
                .setInputs(Map.of("input", InputMapping.of("image")))
                .optLabel("label")
                .optId("id");
    }

    private static StoreIndex prepare(DatasetConfig config) {
        dev.gptq.graph.ValueInfo input =
                new dev.gptq.graph.ValueInfo("input", dev.gptq.graph.ElementType.FLOAT32, new long[] {-1, 2, 2});
        var model = new dev.gptq.graph.Graph("model", 13, List.of(input), List.of(), Map.of(), List.of());
        return SamplePreparation.open(TestSpark.session(), config, model).write(path("store"), path("quarantine"), 3);
    }

    private static String path(String name) {
        return folder.resolve(name).toString();
    }
}
