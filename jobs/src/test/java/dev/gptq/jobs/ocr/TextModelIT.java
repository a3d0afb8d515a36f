package dev.gptq.jobs.ocr;

import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import dev.gptq.evaluate.ModelOutput;
import dev.gptq.evaluate.OnnxSession;
import dev.gptq.graph.TensorData;
import dev.gptq.spark.run.GptqPipeline;
import dev.gptq.spark.run.ProgressListener;
import java.awt.Rectangle;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/** PaddleOCR's models on drawn lines of text that nothing was calibrated with: mvn -Pmodels verify. */
@Tag("real-model")
class TextModelIT {
    private static final int CALIBRATION = 128;
    private static final int TEST = 200;
    /** What the classifier of directions sees of a line. */
    private static final int CLASSIFIER_WIDTH = 192;

    private static final int PAGES = 64;
    private static final int TEST_PAGES = 120;

    private static SparkSession session;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        session = SparkSession.builder()
                .master("local[2]")
                .config("spark.ui.enabled", "false")
                .getOrCreate();
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    /** With a tenth of the activations at 16 bits; a min-max quantizer of 8 bits leaves a third of the characters. */
    @Test
    void theRecognizerPpOcr3ReadsLinesAtEightBits() throws IOException {
        assertThat(read("ch_PP-OCRv3_rec_infer.onnx", List.of())).isGreaterThanOrEqualTo(0.99);
    }

    @Test
    void theRecognizerPpOcr4ReadsLinesAtEightBitsThroughout() throws IOException {
        assertThat(read("ch_PP-OCRv4_rec_infer.onnx", List.of("quantization.layers=[]")))
                .isGreaterThanOrEqualTo(0.993);
    }

    @Test
    void theClassifierOfDirectionsIsRightAsOftenAsInFloatOrMissesHalfAPoint() throws IOException {
        Path model = copy("ch_ppocr_mobile_v2.0_cls_infer.onnx");
        Path lines = folder.resolve("lines.npz");
        LinePainter painter = new LinePainter(1);
        PictureFile.write(lines, CALIBRATION, LinePainter.HEIGHT, CLASSIFIER_WIDTH, i -> turned(painter, i));
        RunConfig config = config(
                model,
                lines,
                List.of(
                        "quantization.layers=[]",
                        "data.calibration.inputs.x.shape=[3, %d, %d]".formatted(LinePainter.HEIGHT, CLASSIFIER_WIDTH)));
        GptqPipeline.run(config, session, ProgressListener.NONE);

        double expected = directions(model);
        assertThat(expected).isGreaterThan(0.8);
        assertThat(directions(folder.resolve("run/quantized.onnx"))).isGreaterThanOrEqualTo(expected - 0.005);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ch_PP-OCRv3_det_infer.onnx", "ch_PP-OCRv4_det_infer.onnx"})
    void theDetectorsFindAsManyLinesAsInFloatOrMissHalfAPoint(String name) throws IOException {
        Path model = copy(name);
        Path pages = folder.resolve("pages.npz");
        PictureFile.write(pages, PAGES, TextPage.SIDE, TextPage.SIDE, i -> TextPage.draw(i)
                .pixels());
        String input = "data.calibration.inputs.x.";
        RunConfig config = config(
                model,
                pages,
                List.of(
                        "quantization.layers=[]",
                        input + "shape=[3, %d, %d]".formatted(TextPage.SIDE, TextPage.SIDE),
                        input + "scale=" + 1 / 255.0,
                        input + "mean=" + Arrays.toString(TextDetector.MEAN),
                        input + "std=" + Arrays.toString(TextDetector.DEVIATION)));
        GptqPipeline.run(config, session, ProgressListener.NONE);

        double expected = linesFound(model);
        assertThat(expected).isGreaterThan(0.9);
        assertThat(linesFound(folder.resolve("run/quantized.onnx"))).isGreaterThanOrEqualTo(expected - 0.005);
    }

    /** The harmonic mean of precision and recall over pages that are drawn anew. */
    private static double linesFound(Path model) throws IOException {
        int found = 0;
        int lines = 0;
        int matched = 0;
        try (TextDetector detector = new TextDetector(Files.readAllBytes(model))) {
            for (int i = 0; i < TEST_PAGES; i++) {
                TextPage page = TextPage.draw(PAGES + i);
                List<Rectangle> boxes = detector.find(page.pixels(), TextPage.SIDE);
                found += boxes.size();
                lines += page.lines().size();
                matched += TextDetector.matches(boxes, page.lines());
            }
        }
        return 2.0 * matched / (found + lines);
    }

    /** The share of characters that a recognizer reads after quantization. */
    private double read(String name, List<String> overrides) throws IOException {
        Path model = copy(name);
        RunConfig config = config(model, folder.resolve("lines.npz"), overrides);
        OcrExample.draw(config, CALIBRATION, 0);
        GptqPipeline.run(config, session, ProgressListener.NONE);
        Path characters = copy("ppocr_keys_v1.txt");
        assertThat(OcrExample.accuracy(model, characters, "x", TEST)).isGreaterThan(0.995);
        return OcrExample.accuracy(folder.resolve("run/quantized.onnx"), characters, "x", TEST);
    }

    private RunConfig config(Path model, Path lines, List<String> overrides) throws IOException {
        List<String> all = new ArrayList<>(List.of(
                "model=" + model,
                "data.calibration.path=" + lines,
                "data.evaluation=null",
                "gptq.n_epochs=0",
                "output.path=" + folder.resolve("run")));
        all.addAll(overrides);
        Path file = Path.of(System.getProperty("gptq.home"), "conf/ocr.yaml");
        return RunConfigReader.read(Files.readString(file), file.toString(), all);
    }

    private Path copy(String name) throws IOException {
        try (InputStream in = TextModelIT.class.getResourceAsStream("/models/" + name)) {
            assertThat(in).as("%s, which the profile models brings", name).isNotNull();
            return Files.write(folder.resolve(name), in.readAllBytes());
        }
    }

    /** The left part of a line, every other one upside down. */
    private static byte[] turned(LinePainter painter, int index) {
        byte[] line = painter.line(index).pixels();
        byte[] part = new byte[LinePainter.HEIGHT * CLASSIFIER_WIDTH];
        for (int i = 0; i < part.length; i++) {
            byte pixel = line[i / CLASSIFIER_WIDTH * LinePainter.WIDTH + i % CLASSIFIER_WIDTH];
            part[index % 2 == 0 ? i : part.length - 1 - i] = pixel;
        }
        return part;
    }

    /** The share of lines whose direction a classifier finds. */
    private static double directions(Path model) throws IOException {
        LinePainter painter = new LinePainter(2);
        int right = 0;
        try (OnnxSession classifier = new OnnxSession(Files.readAllBytes(model), "classifier")) {
            for (int index = 0; index < 2 * TEST; index++) {
                byte[] part = turned(painter, index);
                float[] values = new float[PictureFile.CHANNELS * part.length];
                for (int i = 0; i < values.length; i++) {
                    values[i] = Byte.toUnsignedInt(part[i % part.length]) / 127.5f - 1;
                }
                TensorData input =
                        TensorData.ofFloats(values, 1, PictureFile.CHANNELS, LinePainter.HEIGHT, CLASSIFIER_WIDTH);
                ModelOutput scores =
                        classifier.run(Map.of("x", input)).values().iterator().next();
                int found = scores.values()[0] >= scores.values()[1] ? 0 : 1;
                right += found == index % 2 ? 1 : 0;
            }
        }
        return right / (2.0 * TEST);
    }
}
