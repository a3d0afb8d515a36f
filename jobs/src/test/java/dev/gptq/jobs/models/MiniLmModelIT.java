package dev.gptq.jobs.models;

import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import dev.gptq.spark.run.GptqPipeline;
import dev.gptq.spark.run.ProgressListener;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

/** The sentence transformer all-MiniLM-L6-v2 on sentences that nothing was calibrated with: mvn -Pmodels verify. */
@Tag("real-model")
class MiniLmModelIT {
    private static final int CALIBRATION = 128;
    private static final int FEW_BITS_CALIBRATION = 512;
    private static final int TEST = 500;

    /** Every activation has 8 bits; 18 of them are divided first. */
    private static final String YAML =
            """
            model: '%1$s/model.onnx'
            data:
              calibration:
                path: '%1$s/sentences.txt'
                format: text
                text: {tokenizer: '%1$s/tokenizer.json', max_length: 64, padding: longest}
                inputs:
                  input_ids: {column: input_ids}
                  attention_mask: {column: attention_mask}
                  token_type_ids: {column: token_type_ids}
            quantization:
              preparation: {activation_smoothing: true}
            gptq: {n_epochs: 0}
            output: {path: '%1$s/run'}
            """;

    @TempDir
    private Path folder;

    private byte[] model;
    private byte[] tokenizer;
    private WordNetSentences sentences;

    @BeforeEach
    void copy() throws IOException {
        assumeThat(WordNetSentences.FOLDER)
                .as("WordNet, of the package wordnet-base")
                .isDirectory();
        model = resource("/all-minilm-l6-v2.onnx");
        tokenizer = resource("/all-minilm-l6-v2-tokenizer.json");
        sentences = new WordNetSentences();
        Files.write(folder.resolve("model.onnx"), model);
        Files.write(folder.resolve("tokenizer.json"), tokenizer);
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = MiniLmModelIT.class.getResourceAsStream(name)) {
            assertThat(in).as("%s, which the profile models brings", name).isNotNull();
            return in.readAllBytes();
        }
    }

    @Test
    void eightBitWeightsAndActivationsKeepEmbeddingsAndNeighbours() throws IOException {
        quantize(CALIBRATION);

        EmbeddingAgreement agreement = agreement("quantized.onnx", CALIBRATION);

        assertThat(agreement.cosine()).as("%s", agreement).isGreaterThanOrEqualTo(0.995);
        assertThat(agreement.overlap()).as("%s", agreement).isGreaterThanOrEqualTo(0.92);
    }

    /** With two lanes 2 GB hold gradients and moments of 22.6 million weights, executors being in this JVM. */
    @Test
    void fourBitWeightsWithCompensationAndTrainingKeepEmbeddings() throws IOException {
        quantize(
                FEW_BITS_CALIBRATION,
                "quantization.weights.bits=4",
                "recipe=accurate",
                "gptq.n_epochs=3",
                "training.lanes=2",
                "gptq.hessian_weights_config=null",
                "gptq.error_compensation_config={}");

        EmbeddingAgreement nearest = agreement("ptq.onnx", FEW_BITS_CALIBRATION);
        EmbeddingAgreement trained = agreement("quantized.onnx", FEW_BITS_CALIBRATION);

        assertThat(nearest.cosine()).as("%s", nearest).isLessThan(0.97);
        assertThat(trained.cosine()).as("%s", trained).isGreaterThanOrEqualTo(0.98);
    }

    private void quantize(int samples, String... overrides) throws IOException {
        Files.write(folder.resolve("sentences.txt"), sentences.get(0, samples));
        RunConfig config = RunConfigReader.read(YAML.formatted(folder), "MiniLM", List.of(overrides));
        try (SparkSession session = SparkSession.builder()
                .master("local[2]")
                .config("spark.ui.enabled", "false")
                .getOrCreate()) {
            GptqPipeline.run(config, session, ProgressListener.NONE);
        }
    }

    /** Of embeddings of sentences behind the first {@code calibrated}. */
    private EmbeddingAgreement agreement(String name, int calibrated) throws IOException {
        Path quantized = folder.resolve("run/" + name);
        List<String> test = sentences.get(calibrated, TEST);
        try (SentenceEmbedder expected = new SentenceEmbedder(model, tokenizer);
                SentenceEmbedder actual = new SentenceEmbedder(Files.readAllBytes(quantized), tokenizer)) {
            return EmbeddingAgreement.of(expected.embed(test), actual.embed(test));
        }
    }
}
