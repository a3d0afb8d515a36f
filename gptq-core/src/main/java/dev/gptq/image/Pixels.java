package dev.gptq.image;

/**
 * A decoded image: 8-bit samples, rows from the top, the channels of a pixel side by side (red, green, blue; or grey).
 *
 * @param samples of length width * height * channels
 */
record Pixels(int width, int height, int channels, byte[] samples) {
    /** An image of one value. */
    static Pixels filled(int width, int height, int channels, int value) {
        byte[] samples = new byte[Math.multiplyExact(Math.multiplyExact(width, height), channels)];
        java.util.Arrays.fill(samples, (byte) value);
        return new Pixels(width, height, channels, samples);
    }

    int sample(int x, int y, int channel) {
        return Byte.toUnsignedInt(samples[(y * width + x) * channels + channel]);
    }

    /** Copies this image into {@code target} with its corner at (left, top); what falls outside is left out. */
    void copyInto(Pixels target, int left, int top) {
        int first = Math.max(0, -left);
        int length = Math.min(width, target.width - left) - first;
        for (int y = Math.max(0, -top); y < height && y + top < target.height && length > 0; y++) {
            System.arraycopy(
                    samples,
                    (y * width + first) * channels,
                    target.samples,
                    ((y + top) * target.width + left + first) * channels,
                    length * channels);
        }
    }

    /** One channel by ITU-R BT.601 in 16-bit fixed point, or three by repeating the one there is. */
    Pixels withChannels(int wanted) {
        if (wanted == channels) {
            return this;
        }
        byte[] converted = new byte[width * height * wanted];
        for (int i = 0; i < width * height; i++) {
            if (wanted == 1) {
                int sum = 19595 * Byte.toUnsignedInt(samples[3 * i])
                        + 38470 * Byte.toUnsignedInt(samples[3 * i + 1])
                        + 7471 * Byte.toUnsignedInt(samples[3 * i + 2]);
                converted[i] = (byte) (sum + 0x8000 >> 16);
            } else {
                java.util.Arrays.fill(converted, 3 * i, 3 * i + 3, samples[i]);
            }
        }
        return new Pixels(width, height, wanted, converted);
    }

    /**
     * The image as a camera that was held otherwise saw it.
     *
     * @param orientation as in EXIF: 1 as it is, 2 mirrored, 3 turned by 180 degrees, ..., 8; others count as 1
     */
    Pixels oriented(int orientation) {
        if (orientation < 2 || orientation > 8) {
            return this;
        }
        boolean turned = orientation >= 5;
        int newWidth = turned ? height : width;
        int newHeight = turned ? width : height;
        boolean flipX = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
        boolean flipY = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
        byte[] moved = new byte[samples.length];
        for (int y = 0; y < newHeight; y++) {
            for (int x = 0; x < newWidth; x++) {
                int column = turned ? y : x;
                int row = turned ? x : y;
                int source = (flipY ? height - 1 - row : row) * width + (flipX ? width - 1 - column : column);
                System.arraycopy(samples, source * channels, moved, (y * newWidth + x) * channels, channels);
            }
        }
        return new Pixels(newWidth, newHeight, channels, moved);
    }
}
