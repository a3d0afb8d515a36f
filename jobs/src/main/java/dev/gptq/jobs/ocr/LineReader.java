package dev.gptq.jobs.ocr;

import dev.gptq.evaluate.ModelOutput;
import dev.gptq.evaluate.OnnxSession;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A text recognizer in ONNX Runtime. */
final class LineReader implements AutoCloseable {
    private static final int BATCH = 8;
    private static final float HALF = 127.5f;

    private final OnnxSession session;
    private final String input;
    private final CtcDecoder decoder;

    /** {@code input} is the name of the model's input, whose pixels are between -1 and 1. */
    LineReader(byte[] model, String name, String input, CtcDecoder decoder) {
        this.session = new OnnxSession(model, name);
        this.input = input;
        this.decoder = decoder;
    }

    /** What the model reads on each line. */
    List<String> read(List<TextLine> lines) {
        List<String> texts = new ArrayList<>();
        for (int start = 0; start < lines.size(); start += BATCH) {
            List<TextLine> batch = lines.subList(start, Math.min(lines.size(), start + BATCH));
            ModelOutput scores = session.run(Map.of(input, pixels(batch)))
                    .values()
                    .iterator()
                    .next();
            int steps = (int) scores.shape()[1];
            for (int i = 0; i < batch.size(); i++) {
                texts.add(decoder.decode(scores.values(), i * scores.values().length / batch.size(), steps));
            }
        }
        return texts;
    }

    /** Share of characters read correctly. */
    double accuracy(List<TextLine> lines) {
        CharacterAccuracy accuracy = new CharacterAccuracy();
        List<String> read = read(lines);
        for (int i = 0; i < lines.size(); i++) {
            accuracy.add(lines.get(i).text(), read.get(i));
        }
        return accuracy.value();
    }

    static TensorData pixels(List<TextLine> lines) {
        int plane = LinePainter.HEIGHT * LinePainter.WIDTH;
        float[] values = new float[lines.size() * PictureFile.CHANNELS * plane];
        for (int i = 0; i < values.length; i++) {
            byte pixel = lines.get(i / plane / PictureFile.CHANNELS).pixels()[i % plane];
            values[i] = (Byte.toUnsignedInt(pixel) - HALF) / HALF;
        }
        return TensorData.ofFloats(values, lines.size(), PictureFile.CHANNELS, LinePainter.HEIGHT, LinePainter.WIDTH);
    }

    @Override
    public void close() {
        session.close();
    }
}
