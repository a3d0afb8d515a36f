package dev.gptq.image;

import dev.gptq.config.ImageConfig;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Random;
import javax.imageio.ImageIO;

/** Images made here and their encoded forms. */
public final class TestImages {
    private TestImages() {}

    /** Smooth colours, so that JPEG keeps them nearly. */
    public static BufferedImage smooth(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                image.setRGB(x, y, 255 * x / width << 16 | 255 * y / height << 8 | 40);
            }
        }
        return image;
    }

    static Pixels noise(int width, int height, int channels, long seed) {
        byte[] samples = new byte[width * height * channels];
        new Random(seed).nextBytes(samples);
        return new Pixels(width, height, channels, samples);
    }

    public static byte[] encoded(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (!ImageIO.write(image, format, out)) {
            throw new IOException("no writer for " + format);
        }
        return out.toByteArray();
    }

    /** A JPEG file with an EXIF orientation. */
    static byte[] oriented(byte[] jpeg, int orientation) {
        byte[] exif = {
            (byte) 0xFF,
            (byte) 0xE1,
            0,
            34,
            'E',
            'x',
            'i',
            'f',
            0,
            0,
            'M',
            'M',
            0,
            42,
            0,
            0,
            0,
            8,
            0,
            1,
            0x01,
            0x12,
            0,
            3,
            0,
            0,
            0,
            1,
            0,
            (byte) orientation,
            0,
            0,
            0,
            0,
            0,
            0
        };
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(jpeg, 0, 2);
        out.writeBytes(exif);
        out.write(jpeg, 2, jpeg.length - 2);
        return out.toByteArray();
    }

    /**
     * A lossless WebP file of one colour (RFC 9649): no transform, no cache, and five prefix codes of one symbol each, so that
     * pixels take no bits.
     */
    public static byte[] webp(int width, int height, int red, int green, int blue) {
        Bits bits = new Bits();
        bits.put(0x2f, 8);
        bits.put(width - 1, 14);
        bits.put(height - 1, 14);
        bits.put(0, 1 + 3 + 1 + 1 + 1);
        for (int symbol : new int[] {green, red, blue, 255}) {
            bits.put(0b101, 3);
            bits.put(symbol, 8);
        }
        bits.put(0b001, 3);
        bits.put(0, 1);
        byte[] data = bits.bytes();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("RIFF".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        littleEndian(out, 12 + data.length);
        out.writeBytes("WEBPVP8L".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        littleEndian(out, data.length);
        out.writeBytes(data);
        return out.toByteArray();
    }

    private static void littleEndian(ByteArrayOutputStream out, int value) {
        for (int shift = 0; shift < 32; shift += 8) {
            out.write(value >> shift);
        }
    }

    /** Bits, the lowest first, with zeros behind them that a decoder may read ahead. */
    private static final class Bits {
        private final java.util.BitSet set = new java.util.BitSet();
        private int length;

        void put(int value, int count) {
            for (int i = 0; i < count; i++) {
                set.set(length++, (value >> i & 1) == 1);
            }
        }

        byte[] bytes() {
            return java.util.Arrays.copyOf(set.toByteArray(), (length + 15) / 16 * 2 + Long.BYTES);
        }
    }

    /** The defaults with another size, fit, crop, colour and layout. */
    static ImageConfig config(
            int[] resize, ImageConfig.Fit fit, int[] crop, ImageConfig.Color color, ImageConfig.Layout layout) {
        return new ImageConfig(
                "image", resize, fit, ImageConfig.Interpolation.BILINEAR, true, crop, 114, color, layout, true, 1000);
    }
}
