package dev.gptq.jobs.ocr;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Draws labelled lines of text as a text recognizer gets them: fonts, sizes, contrast, blur, noise and a slight slope differ.
 * Line i is a function of (seed, i) and of this machine's fonts.
 */
final class LinePainter {
    static final int HEIGHT = 48;
    static final int WIDTH = 320;

    private static final String[] FONTS = {Font.SANS_SERIF, Font.SERIF, Font.MONOSPACED};
    private static final int[] STYLES = {Font.PLAIN, Font.PLAIN, Font.BOLD, Font.ITALIC};
    private static final int SMALLEST_SIZE = 22;
    private static final int LARGEST_SIZE = 36;
    private static final int MARGIN = 4;
    private static final double LARGEST_SLOPE = 0.012;
    private static final double STRONGEST_NOISE = 14;
    private static final int DARKEST_BACKGROUND = 190;
    private static final int LIGHTEST_INK = 70;
    private static final long STRIDE = 0x9E3779B97F4A7C15L;

    private final long seed;

    /** Lines of different seeds have nothing to do with each other. */
    LinePainter(long seed) {
        this.seed = seed;
    }

    /**
     * The line of that index.
     *
     * @throws GptqException BAD_INPUT when this machine has no fonts
     */
    TextLine line(long index) {
        Random random = new Random(seed * STRIDE + index);
        String text = LineTexts.next(random);
        int background = DARKEST_BACKGROUND + random.nextInt(256 - DARKEST_BACKGROUND);
        int ink = random.nextInt(LIGHTEST_INK);
        boolean inverted = random.nextInt(6) == 0;
        BufferedImage image;
        try {
            image = draw(text, random, inverted ? ink : background, inverted ? background : ink);
        } catch (RuntimeException | LinkageError | InternalError e) {
            throw new GptqException(
                    ErrorCode.BAD_INPUT,
                    "Cannot draw lines of text: Java finds no fonts on this machine (" + e
                            + "). Install some, for instance the package fonts-dejavu-core.",
                    e);
        }
        return new TextLine(text, spoil(image, random));
    }

    private static BufferedImage draw(String text, Random random, int background, int ink) {
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_BYTE_GRAY);
        Graphics2D canvas = image.createGraphics();
        try {
            canvas.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            canvas.setRenderingHint(RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
            canvas.setColor(grey(background));
            canvas.fillRect(0, 0, WIDTH, HEIGHT);
            canvas.setColor(grey(ink));
            int size = SMALLEST_SIZE + random.nextInt(LARGEST_SIZE - SMALLEST_SIZE + 1);
            Font font = new Font(FONTS[random.nextInt(FONTS.length)], STYLES[random.nextInt(STYLES.length)], size);
            Rectangle2D box = font.getStringBounds(text, canvas.getFontRenderContext());
            double room = WIDTH - 2.0 * MARGIN;
            if (box.getWidth() > room) {
                font = font.deriveFont((float) (size * room / box.getWidth()));
                box = font.getStringBounds(text, canvas.getFontRenderContext());
            }
            canvas.setFont(font);
            canvas.rotate(LARGEST_SLOPE * (2 * random.nextDouble() - 1), WIDTH / 2.0, HEIGHT / 2.0);
            float left = MARGIN + (float) (random.nextDouble() * (room - box.getWidth()));
            float baseline = (float) ((HEIGHT - box.getHeight()) / 2 - box.getY() + 4 * (random.nextDouble() - 0.5));
            canvas.drawString(text, left, baseline);
        } finally {
            canvas.dispose();
        }
        return image;
    }

    private static Color grey(int value) {
        return new Color(value, value, value);
    }

    /** Blur of up to one pixel and noise. */
    private static byte[] spoil(BufferedImage image, Random random) {
        int[] grey = image.getRaster().getPixels(0, 0, WIDTH, HEIGHT, (int[]) null);
        double side = random.nextInt(3) == 0 ? 0 : 0.25 * random.nextDouble();
        double noise = random.nextInt(3) == 0 ? 0 : STRONGEST_NOISE * random.nextDouble();
        double[] rows = blur(IntStream.of(grey).asDoubleStream().toArray(), side, 1, WIDTH);
        double[] both = blur(rows, side, WIDTH, HEIGHT);
        byte[] pixels = new byte[grey.length];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) Math.max(0, Math.min(255, Math.round(both[i] + noise * random.nextGaussian())));
        }
        return pixels;
    }

    /** Mixes each pixel with its neighbours at distance {@code stride}; {@code side} is the share of each of the two. */
    private static double[] blur(double[] pixels, double side, int stride, int length) {
        double[] blurred = new double[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            int place = i / stride % length;
            double before = pixels[place == 0 ? i : i - stride];
            double after = pixels[place == length - 1 ? i : i + stride];
            blurred[i] = side * (before + after) + (1 - 2 * side) * pixels[i];
        }
        return blurred;
    }
}
