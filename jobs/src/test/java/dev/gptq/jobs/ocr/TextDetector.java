package dev.gptq.jobs.ocr;

import dev.gptq.evaluate.OnnxSession;
import dev.gptq.graph.TensorData;
import java.awt.Rectangle;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/** PaddleOCR's detectors in ONNX Runtime: a map of where text is, its connected parts, and their boxes, grown as DB's are. */
final class TextDetector implements AutoCloseable {
    static final double[] MEAN = {0.485, 0.456, 0.406};
    static final double[] DEVIATION = {0.229, 0.224, 0.225};

    private static final double TEXT = 0.3;
    private static final double SURE = 0.5;
    private static final double GROWTH = 1.5;
    private static final int SMALLEST_SIDE = 3;

    private final OnnxSession session;

    TextDetector(byte[] model) {
        this.session = new OnnxSession(model, "detector");
    }

    List<Rectangle> find(byte[] grey, int side) {
        float[] values = new float[PictureFile.CHANNELS * grey.length];
        for (int i = 0; i < values.length; i++) {
            int channel = i / grey.length;
            double share = Byte.toUnsignedInt(grey[i % grey.length]) / 255.0;
            values[i] = (float) ((share - MEAN[channel]) / DEVIATION[channel]);
        }
        double[] map = session.run(Map.of("x", TensorData.ofFloats(values, 1, PictureFile.CHANNELS, side, side)))
                .values()
                .iterator()
                .next()
                .values();
        List<Rectangle> boxes = new ArrayList<>();
        boolean[] seen = new boolean[map.length];
        for (int start = 0; start < map.length; start++) {
            if (map[start] > TEXT && !seen[start]) {
                Rectangle box = part(map, seen, start, side);
                if (Math.min(box.width, box.height) >= SMALLEST_SIDE && mean(map, box, side) > SURE) {
                    int margin = (int) Math.round(GROWTH * box.width * box.height / (2.0 * (box.width + box.height)));
                    box.grow(margin, margin);
                    boxes.add(box);
                }
            }
        }
        return boxes;
    }

    private static Rectangle part(double[] map, boolean[] seen, int start, int side) {
        Rectangle box = new Rectangle(start % side, start / side, 1, 1);
        Deque<Integer> open = new ArrayDeque<>(List.of(start));
        seen[start] = true;
        while (!open.isEmpty()) {
            int at = open.pop();
            int x = at % side;
            int y = at / side;
            box.add(new Rectangle(x, y, 1, 1));
            visit(map, seen, open, x > 0, at - 1);
            visit(map, seen, open, x < side - 1, at + 1);
            visit(map, seen, open, y > 0, at - side);
            visit(map, seen, open, y < side - 1, at + side);
        }
        return box;
    }

    private static void visit(double[] map, boolean[] seen, Deque<Integer> open, boolean inside, int at) {
        if (inside && !seen[at] && map[at] > TEXT) {
            seen[at] = true;
            open.push(at);
        }
    }

    private static double mean(double[] map, Rectangle box, int side) {
        double sum = 0;
        for (int y = box.y; y < box.y + box.height; y++) {
            for (int x = box.x; x < box.x + box.width; x++) {
                sum += map[y * side + x];
            }
        }
        return sum / (box.width * box.height);
    }

    /** How many boxes match one of {@code truth} each, with half of what either covers in common. */
    static int matches(List<Rectangle> boxes, List<Rectangle> truth) {
        List<Rectangle> left = new ArrayList<>(truth);
        int matched = 0;
        for (Rectangle box : boxes) {
            Rectangle match = left.stream()
                    .filter(line -> {
                        Rectangle common = line.intersection(box);
                        double both = common.isEmpty() ? 0 : (double) common.width * common.height;
                        return both >= 0.5 * (area(line) + area(box) - both);
                    })
                    .findFirst()
                    .orElse(null);
            if (match != null) {
                left.remove(match);
                matched++;
            }
        }
        return matched;
    }

    private static double area(Rectangle box) {
        return (double) box.width * box.height;
    }

    @Override
    public void close() {
        session.close();
    }
}
