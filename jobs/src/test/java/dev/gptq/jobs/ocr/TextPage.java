package dev.gptq.jobs.ocr;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Rectangle;
import java.awt.RenderingHints;
import java.awt.font.TextLayout;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A page with some lines of text in several fonts and sizes, blurred and with noise.
 *
 * @param pixels grey, row by row
 * @param lines where there is ink
 */
record TextPage(byte[] pixels, List<Rectangle> lines) {
    static final int SIDE = 320;

    private static final String[] FONTS = {Font.SANS_SERIF, Font.SERIF, Font.MONOSPACED};
    private static final int[] STYLES = {Font.PLAIN, Font.BOLD, Font.ITALIC};
    private static final int MARGIN = 12;
    private static final int SMALLEST_GAP = 14;

    /** A function of the seed and of this machine's fonts. */
    static TextPage draw(long seed) {
        Random random = new Random(seed * 0x9E3779B97F4A7C15L);
        BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
        Graphics2D canvas = image.createGraphics();
        canvas.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        boolean inverted = random.nextInt(6) == 0;
        canvas.setColor(grey(inverted ? random.nextInt(70) : 190 + random.nextInt(66)));
        canvas.fillRect(0, 0, SIDE, SIDE);
        List<Rectangle> lines = new ArrayList<>();
        int top = MARGIN + random.nextInt(20);
        while (true) {
            Font font = new Font(
                    FONTS[random.nextInt(FONTS.length)],
                    STYLES[random.nextInt(STYLES.length)],
                    14 + random.nextInt(19));
            TextLayout layout = new TextLayout(LineTexts.next(random), font, canvas.getFontRenderContext());
            Rectangle2D ink = layout.getBounds();
            double room = SIDE - 2.0 * MARGIN - ink.getWidth();
            if (room < 0) {
                continue;
            }
            if (top + ink.getHeight() > SIDE - MARGIN) {
                break;
            }
            double left = MARGIN + random.nextDouble() * room;
            canvas.setColor(grey(inverted ? 190 + random.nextInt(66) : random.nextInt(70)));
            layout.draw(canvas, (float) (left - ink.getX()), (float) (top - ink.getY()));
            lines.add(new Rectangle2D.Double(left, top, ink.getWidth(), ink.getHeight()).getBounds());
            top += (int) ink.getHeight() + SMALLEST_GAP + random.nextInt(30);
        }
        canvas.dispose();
        return new TextPage(spoil(image, random), lines);
    }

    private static Color grey(int value) {
        return new Color(value, value, value);
    }

    private static byte[] spoil(BufferedImage image, Random random) {
        int[] grey = image.getRaster().getPixels(0, 0, SIDE, SIDE, (int[]) null);
        double side = random.nextInt(3) == 0 ? 0 : 0.2 * random.nextDouble();
        double noise = 12 * random.nextDouble();
        byte[] pixels = new byte[grey.length];
        for (int i = 0; i < pixels.length; i++) {
            boolean border = i % SIDE == 0 || i % SIDE == SIDE - 1;
            double blurred = border ? grey[i] : side * (grey[i - 1] + grey[i + 1]) + (1 - 2 * side) * grey[i];
            pixels[i] = (byte) Math.max(0, Math.min(255, Math.round(blurred + noise * random.nextGaussian())));
        }
        return pixels;
    }
}
