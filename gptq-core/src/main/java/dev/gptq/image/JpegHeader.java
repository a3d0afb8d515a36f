package dev.gptq.image;

/**
 * What a JPEG file says before its first scan (ITU-T T.81, JFIF, Adobe's APP14 marker, EXIF 2.3).
 *
 * @param components 1, 3 or 4
 * @param letters whether the components are called R, G and B
 * @param adobeTransform 0: RGB or CMYK; 1: YCbCr; 2: YCCK; -1: not given
 * @param orientation EXIF's, 1 when not given
 */
record JpegHeader(
        int width, int height, int components, boolean letters, boolean jfif, int adobeTransform, int orientation) {
    private static final int ORIENTATION_TAG = 0x0112;

    /** Reads a header; throws when the bytes end or contradict themselves before the frame is described. */
    static JpegHeader parse(byte[] bytes) throws UnusableImageException {
        int width = 0;
        int height = 0;
        int components = 0;
        boolean letters = false;
        boolean jfif = false;
        int transform = -1;
        int orientation = 1;
        int position = 2;
        while (position + 4 <= bytes.length) {
            int marker = unsigned(bytes, position + 1);
            if (unsigned(bytes, position) != 0xFF) {
                throw new UnusableImageException("the JPEG file is damaged at byte " + position);
            }
            if (marker == 0xFF || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
                // Fill bytes and markers without content.
                position += marker == 0xFF ? 1 : 2;
                continue;
            }
            int start = position + 4;
            int end = position + 2 + word(bytes, position + 2);
            if (marker == 0xDA || end > bytes.length || end < start) {
                break;
            }
            if (marker == 0xE0) {
                jfif |= startsWith(bytes, start, end, "JFIF\0");
            } else if (marker == 0xE1 && startsWith(bytes, start, end, "Exif\0\0")) {
                orientation = orientation(bytes, start + 6, end);
            } else if (marker == 0xEE && startsWith(bytes, start, end, "Adobe") && end - start >= 12) {
                transform = unsigned(bytes, start + 11);
            } else if (isFrame(marker) && end - start >= 6) {
                height = word(bytes, start + 1);
                width = word(bytes, start + 3);
                components = unsigned(bytes, start + 5);
                letters = end - start >= 15
                        && bytes[start + 6] == 'R'
                        && bytes[start + 9] == 'G'
                        && bytes[start + 12] == 'B';
            }
            position = end;
        }
        if (width == 0 || height == 0) {
            throw new UnusableImageException("the JPEG file is damaged: it has no frame header");
        }
        return new JpegHeader(width, height, components, letters, jfif, transform, orientation);
    }

    /** Whether three components are red, green and blue instead of luma and chroma; libjpeg's rule. */
    boolean isRgb() {
        return !jfif && (adobeTransform == 0 || (adobeTransform < 0 && letters));
    }

    private static boolean isFrame(int marker) {
        return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    }

    /** The tag of the first directory of the TIFF structure in [start, end). */
    private static int orientation(byte[] bytes, int start, int end) {
        if (end - start < 8) {
            return 1;
        }
        boolean little = bytes[start] == 'I';
        long directory = start + number(bytes, start + 4, 4, little);
        if (directory + 2 > end) {
            return 1;
        }
        int entries = (int) number(bytes, (int) directory, 2, little);
        for (int entry = 0; entry < entries; entry++) {
            long at = directory + 2 + 12L * entry;
            if (at + 12 <= end && number(bytes, (int) at, 2, little) == ORIENTATION_TAG) {
                return (int) number(bytes, (int) at + 8, 2, little);
            }
        }
        return 1;
    }

    private static long number(byte[] bytes, int position, int length, boolean little) {
        long value = 0;
        for (int i = 0; i < length; i++) {
            value = value << Byte.SIZE | unsigned(bytes, position + (little ? length - 1 - i : i));
        }
        return value;
    }

    private static boolean startsWith(byte[] bytes, int start, int end, String text) {
        for (int i = 0; i < text.length(); i++) {
            if (start + i >= end || bytes[start + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static int word(byte[] bytes, int position) {
        return unsigned(bytes, position) << Byte.SIZE | unsigned(bytes, position + 1);
    }

    private static int unsigned(byte[] bytes, int position) {
        return Byte.toUnsignedInt(bytes[position]);
    }
}
