package dev.gptq.jobs.ocr;

import dev.gptq.config.RunConfigReader;
import dev.gptq.evaluate.ModelOutput;
import dev.gptq.evaluate.OnnxSession;
import dev.gptq.graph.TensorData;
import dev.gptq.spark.run.GptqPipeline;
import dev.gptq.spark.run.ProgressListener;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/**
 * The other PP-OCR models with 8-bit weights, on pictures that were not calibrated with. Minutes: mvn -Dit.excluded=
 * -Dit.test=RealModelsIT verify.
 */
@Tag("measure")
class RealModelsIT {
    private static final float[] MEAN = {0.485f, 0.456f, 0.406f};
    private static final float[] STD = {0.229f, 0.224f, 0.225f};
    private static final int DIRECTION_WIDTH = 192;
    private static final float TEXT = 0.3f;
    private static final double HALF_A_POINT = 0.005;

    @TempDir
    static Path folder;

    private static SparkSession spark;

    @BeforeAll
    static void start() {
        spark = SparkSession.builder()
                .master("local[2]")
                .appName("RealModelsIT")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .getOrCreate();
    }

    @AfterAll
    static void stop() {
        spark.stop();
    }

    /** Every other line stands on its head; the model says which. */
    @Test
    void theClassifierOfDirectionsStaysWithinHalfAPoint() throws IOException {
        String model = "ch_ppocr_mobile_v2.0_cls_infer";
        PictureFile.write(
                folder.resolve(model + ".npz"), 64, LinePainter.HEIGHT, DIRECTION_WIDTH, i -> turned(1, i));
        byte[] quantized = quantize(model, "scale: 0.00784313725490196, mean: 1");

        assertThat(directions(quantized)).isCloseTo(directions(original(model)), within(HALF_A_POINT));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ch_PP-OCRv3_det_infer", "ch_PP-OCRv4_det_infer"})
    void detectorsFindTextWithinHalfAPoint(String model) throws IOException {
        PictureFile.write(
                folder.resolve(model + ".npz"), 32, Page.SIDE, Page.SIDE, i -> Page.of(i).pixels());
        byte[] quantized = quantize(
                model, "scale: 0.00392156862745098, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]");

        assertThat(foundText(quantized)).isCloseTo(foundText(original(model)), within(HALF_A_POINT));
    }

    private static byte[] turned(long seed, int index) {
        byte[] line = new LinePainter(seed).line(index).pixels();
        byte[] turned = new byte[LinePainter.HEIGHT * DIRECTION_WIDTH];
        for (int i = 0; i < turned.length; i++) {
            int place = index % 2 == 0 ? i : turned.length - 1 - i;
            turned[i] = line[place / DIRECTION_WIDTH * LinePainter.WIDTH + place % DIRECTION_WIDTH];
        }
        return turned;
    }

    /** The share of 400 lines whose direction a model tells. */
    private static double directions(byte[] model) {
        try (OnnxSession session = new OnnxSession(model, "test")) {
            long right = IntStream.range(0, 400)
                    .filter(i -> {
                        byte[] pixels = turned(2, i);
                        TensorData input = picture(
                                pixels, LinePainter.HEIGHT, new float[] {0.5f, 0.5f, 0.5f}, new float[] {0.5f, 0.5f, 0.5f});
                        double[] scores = output(session, input);
                        return scores[1] > scores[0] == (i % 2 == 1);
                    })
                    .count();
            return right / 400.0;
        }
    }

    /** F1 of the pixels that a model takes for text. */
    private static double foundText(byte[] model) {
        long both = 0;
        long either = 0;
        try (OnnxSession session = new OnnxSession(model, "test")) {
            for (int i = 0; i < 40; i++) {
                Page page = Page.of(1000 + i);
                double[] map = output(session, picture(page.pixels(), Page.SIDE, MEAN, STD));
                for (int pixel = 0; pixel < map.length; pixel++) {
                    boolean found = map[pixel] > TEXT;
                    both += found && page.text()[pixel] ? 2 : 0;
                    either += (found ? 1 : 0) + (page.text()[pixel] ? 1 : 0);
                }
            }
        }
        return (double) both / either;
    }

    private static double[] output(OnnxSession session, TensorData input) {
        Map<String, ModelOutput> outputs = session.run(Map.of("x", input));
        return outputs.values().iterator().next().values();
    }

    private static TensorData picture(byte[] pixels, int height, float[] mean, float[] std) {
        float[] values = new float[3 * pixels.length];
        for (int i = 0; i < values.length; i++) {
            int channel = i / pixels.length;
            values[i] = (Byte.toUnsignedInt(pixels[i % pixels.length]) / 255f - mean[channel]) / std[channel];
        }
        return TensorData.ofFloats(values, 1, 3, height, pixels.length / height);
    }

    private static byte[] original(String model) throws IOException {
        try (InputStream in = RealModelsIT.class.getResourceAsStream("/models/" + model + ".onnx")) {
            return in.readAllBytes();
        }
    }

    private static byte[] quantize(String model, String values) throws IOException {
        return quantize(model, values, "");
    }

    private static byte[] quantize(String model, String values, String layers) throws IOException {
        Files.write(folder.resolve(model + ".onnx"), original(model));
        String yaml =
                """
                model: %1$s/%2$s.onnx
                data:
                  calibration:
                    path: %1$s/%2$s.npz
                    inputs:
                      x: {column: image, %3$s}
                quantization:
                  layers: [%4$s]
                gptq: {n_epochs: 0}
                output: {path: %1$s/%2$s}
                """
                        .formatted(folder, model, values, layers);
        GptqPipeline.run(RunConfigReader.read(yaml, model, List.of()), spark, ProgressListener.NONE);
        return Files.readAllBytes(folder.resolve(model).resolve("ptq.onnx"));
    }

    /** The list of characters that the recognizers know. */
    private static CtcDecoder decoder() throws IOException {
        InputStream list = Objects.requireNonNull(RealModelsIT.class.getResourceAsStream("/models/ppocr_keys_v1.txt"));
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(list, StandardCharsets.UTF_8))) {
            return CtcDecoder.ofList(reader.lines().toList());
        }
    }
}
