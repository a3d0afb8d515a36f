package dev.gptq.image;

import java.awt.image.Raster;

/**
 * The samples of a JPEG file -> grey or RGB, by the formulas and the rounding of libjpeg (jdcolor.c: ITU-R BT.601, 16-bit fixed
 * point). Colour profiles are not applied, as Pillow and OpenCV do not.
 */
final class JpegColors {
    private static final int SCALE_BITS = 16;
    private static final int HALF = 1 << SCALE_BITS - 1;
    private static final int RED_OF_CR = fixed(1.402);
    private static final int BLUE_OF_CB = fixed(1.772);
    private static final int GREEN_OF_CR = -fixed(0.71414);
    private static final int GREEN_OF_CB = -fixed(0.34414);

    private JpegColors() {}

    private static int fixed(double value) {
        return (int) (value * (1 << SCALE_BITS) + 0.5);
    }

    static Pixels convert(Raster raster, JpegHeader header) throws UnusableImageException {
        int bands = raster.getNumBands();
        if (bands != header.components() || (bands != 1 && bands != 3 && bands != 4)) {
            throw new UnusableImageException("the JPEG file has " + header.components() + " components");
        }
        int width = raster.getWidth();
        int height = raster.getHeight();
        Pixels image = Pixels.filled(width, height, bands == 1 ? 1 : 3, 0);
        boolean luma = bands == 4 ? header.adobeTransform() == 2 : bands == 3 && !header.isRgb();
        int[] row = new int[width * bands];
        int[] rgb = new int[3];
        int target = 0;
        for (int y = 0; y < height; y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < width; x++) {
                if (bands == 1) {
                    image.samples()[target++] = (byte) row[x];
                    continue;
                }
                toRgb(row, x * bands, luma, rgb);
                // Adobe's files hold inverted inks: what is read as a colour is scaled by the black that is left.
                int black = bands == 4 ? row[x * bands + 3] : 255;
                for (int value : rgb) {
                    int ink = bands == 4 && luma ? 255 - value : value;
                    image.samples()[target++] = (byte) ((ink * black + 127) / 255);
                }
            }
        }
        return image;
    }

    private static void toRgb(int[] row, int first, boolean luma, int[] rgb) {
        if (!luma) {
            System.arraycopy(row, first, rgb, 0, 3);
            return;
        }
        int y = row[first];
        int cb = row[first + 1] - 128;
        int cr = row[first + 2] - 128;
        rgb[0] = saturated(y + (RED_OF_CR * cr + HALF >> SCALE_BITS));
        rgb[1] = saturated(y + (GREEN_OF_CB * cb + GREEN_OF_CR * cr + HALF >> SCALE_BITS));
        rgb[2] = saturated(y + (BLUE_OF_CB * cb + HALF >> SCALE_BITS));
    }

    private static int saturated(int value) {
        return Math.max(0, Math.min(255, value));
    }
}
