package dev.gptq.jobs.text;

import dev.gptq.config.RunConfigReader;
import dev.gptq.spark.run.GptqPipeline;
import dev.gptq.spark.run.ProgressListener;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** all-MiniLM-L6-v2 from its Maven jar on definitions from WordNet; sentences of the measures were not calibrated with. */
class MiniLmIT {
    private static final int CALIBRATION = 64;
    private static final int TEST = 200;

    @TempDir
    static Path folder;

    private static SparkSession spark;
    private static Tokens test;
    private static Embeddings expected;

    @BeforeAll
    static void prepare() throws IOException {
        assumeTrue(WordNet.isInstalled(), "WordNet is not installed (Debian package wordnet-base)");
        try (InputStream model = MiniLmIT.class.getResourceAsStream("/all-minilm-l6-v2.onnx")) {
            Files.copy(model, folder.resolve("model.onnx"));
        }
        spark = SparkSession.builder()
                .master("local[2]")
                .appName("MiniLmIT")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .getOrCreate();
        List<String> sentences = WordNet.definitions(CALIBRATION + TEST);
        write(Tokens.of(sentences.subList(0, CALIBRATION)));
        test = Tokens.of(sentences.subList(CALIBRATION, CALIBRATION + TEST));
        expected = Embeddings.of(Files.readAllBytes(folder.resolve("model.onnx")), test);
    }

    @AfterAll
    static void stop() {
        if (spark != null) {
            spark.stop();
        }
    }

    private static void write(Tokens tokens) {
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < tokens.sentences(); i++) {
            int from = i * Tokens.LENGTH;
            rows.add(RowFactory.create(
                    (long) i,
                    Arrays.copyOfRange(tokens.ids(), from, from + Tokens.LENGTH),
                    Arrays.copyOfRange(tokens.mask(), from, from + Tokens.LENGTH),
                    new long[Tokens.LENGTH]));
        }
        StructType table = new StructType().add("id", DataTypes.LongType);
        for (String column : List.of("input_ids", "attention_mask", "token_type_ids")) {
            table = table.add(column, DataTypes.createArrayType(DataTypes.LongType));
        }
        spark.createDataFrame(rows, table)
                .coalesce(1)
                .write()
                .parquet(folder.resolve("data").toString());
    }

    /** ONNX Runtime's own dynamic quantization of this model reaches .992 and .878. */
    @Test
    @Timeout(240)
    void eightBitsKeepSentencesAndTheirNeighboursInPlace() throws IOException {
        Embeddings quantized = quantize(8, 0, "w8");

        assertThat(expected.cosine(quantized)).isGreaterThanOrEqualTo(0.995);
        assertThat(expected.overlap(quantized)).isGreaterThanOrEqualTo(0.92);
    }

    /** Minutes: mvn -Dit.excluded= -Dit.test=MiniLmIT verify. */
    @Test
    @Tag("measure")
    void fourBitKernelsWithLearnedRoundingKeepSentencesInPlace() throws IOException {
        assertThat(expected.cosine(quantize(4, 5, "w4"))).isGreaterThanOrEqualTo(0.98);
    }

    private static Embeddings quantize(int bits, int epochs, String name) throws IOException {
        String columns = "{column: %s, shape: [" + Tokens.LENGTH + "]}";
        String yaml =
                """
                model: %1$s/model.onnx
                data:
                  calibration:
                    path: %1$s/data
                    format: parquet
                    id: id
                    inputs:
                      input_ids: %2$s
                      attention_mask: %3$s
                      token_type_ids: %4$s
                quantization:
                  weights: {bits: %5$d}
                gptq:
                  n_epochs: %6$d
                output: {path: %1$s/%7$s}
                """
                        .formatted(
                                folder,
                                columns.formatted("input_ids"),
                                columns.formatted("attention_mask"),
                                columns.formatted("token_type_ids"),
                                bits,
                                epochs,
                                name);
        GptqPipeline.run(RunConfigReader.read(yaml, "minilm.yaml", List.of()), spark, ProgressListener.NONE);
        return Embeddings.of(Files.readAllBytes(folder.resolve(name).resolve("quantized.onnx")), test);
    }
}
