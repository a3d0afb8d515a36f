package dev.gptq.jobs.ocr;

import dev.gptq.GptqException;
import dev.gptq.config.RunConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The data of the OCR example and its measure. Lines for calibration and lines to read are drawn from different seeds; the
 * models' jar, which the build unpacks, has the recognizer and its list of characters.
 */
public final class OcrExample {
    private static final int CALIBRATION_SEED = 1;
    private static final int TEST_SEED = 2;
    private static final String CHARACTERS = "ppocr_keys_v1.txt";

    private OcrExample() {}

    /** Draws what the configuration reads, where it is not there yet. */
    public static void draw(RunConfig config, int calibrationLines, int testLines) {
        draw(config.calibration().path(), CALIBRATION_SEED, calibrationLines);
        if (config.evaluation() != null) {
            draw(config.evaluation().path(), TEST_SEED, testLines);
        }
    }

    private static void draw(String file, long seed, int lines) {
        LinePainter painter = new LinePainter(seed);
        PictureFile.write(Path.of(file), lines, LinePainter.HEIGHT, LinePainter.WIDTH, i -> painter.line(i)
                .pixels());
    }

    /**
     * The share of characters that a model reads correctly.
     *
     * @param model an ONNX file
     * @param characters the list of the characters that the model knows
     * @param input the name of the model's input
     * @param lines how many of the lines that nothing was calibrated with
     */
    public static double accuracy(Path model, Path characters, String input, int lines) {
        LinePainter painter = new LinePainter(TEST_SEED);
        List<TextLine> test = IntStream.range(0, lines).mapToObj(painter::line).toList();
        try {
            CtcDecoder decoder = CtcDecoder.ofList(Files.readAllLines(characters));
            byte[] bytes = Files.readAllBytes(model);
            try (LineReader reader = new LineReader(bytes, model.getFileName().toString(), input, decoder)) {
                return reader.accuracy(test);
            }
        } catch (IOException e) {
            throw GptqException.io(e, "Cannot read model %s: %s. Build the project again.", model, e.getMessage());
        }
    }

    /** The list of characters beside the float model. */
    public static Path characters(RunConfig config) {
        return Path.of(config.model()).resolveSibling(CHARACTERS);
    }
}
