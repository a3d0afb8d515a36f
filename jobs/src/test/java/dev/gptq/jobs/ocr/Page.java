package dev.gptq.jobs.ocr;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.Random;

/**
 * A page with some lines of text for a detector.
 *
 * @param pixels grey values
 * @param text whether a pixel lies within a line's box
 */
record Page(byte[] pixels, boolean[] text) {
    static final int SIDE = 320;

    private static final String[] FONTS = {Font.SANS_SERIF, Font.SERIF, Font.MONOSPACED};

    static Page of(long seed) {
        Random random = new Random(seed);
        BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
        boolean[] text = new boolean[SIDE * SIDE];
        Graphics2D canvas = image.createGraphics();
        canvas.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        int background = 180 + random.nextInt(76);
        canvas.setColor(new Color(background, background, background));
        canvas.fillRect(0, 0, SIDE, SIDE);
        int top = 10 + random.nextInt(20);
        while (top < SIDE - 40) {
            canvas.setFont(new Font(FONTS[random.nextInt(3)], random.nextInt(2), 14 + random.nextInt(16)));
            int ink = random.nextInt(80);
            canvas.setColor(new Color(ink, ink, ink));
            String line = LineTexts.next(random);
            int left = 5 + random.nextInt(40);
            FontMetrics metrics = canvas.getFontMetrics();
            canvas.drawString(line, left, top + metrics.getAscent());
            int right = Math.min(SIDE, left + metrics.stringWidth(line));
            for (int y = top + 2; y < Math.min(SIDE, top + metrics.getHeight() - 2); y++) {
                Arrays.fill(text, y * SIDE + left, y * SIDE + right, true);
            }
            top += metrics.getHeight() + 8 + random.nextInt(30);
        }
        canvas.dispose();
        int[] grey = image.getRaster().getPixels(0, 0, SIDE, SIDE, (int[]) null);
        byte[] pixels = new byte[grey.length];
        int noise = random.nextInt(10);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) Math.max(0, Math.min(255, Math.round(grey[i] + noise * random.nextGaussian())));
        }
        return new Page(pixels, text);
    }
}
