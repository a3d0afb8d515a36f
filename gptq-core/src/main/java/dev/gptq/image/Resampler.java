package dev.gptq.image;

import dev.gptq.config.ImageConfig.Interpolation;

/**
 * Changes an image's size in two passes, rows then columns, in integer arithmetic: the same bits on every machine.
 *
 * <p>Pixel centres are at half positions. Output pixel i of n, made from m input pixels, has its centre at
 * c = (i + 1/2) m / n and the weights f((j + 1/2 - c) / s), which are normalised to 1. The scale s is max(1, m / n) with
 * antialiasing and 1 without; f is the triangle of support 1 (bilinear), Keys' cubic with a = -1/2 and support 2 (bicubic) or
 * the box of support 1/2 (area). Weights are rounded to 22 bits behind the point; each pass rounds to 8 bits and saturates.
 * With antialiasing this is what Pillow's Image.resize does. Nearest takes input pixel floor(c).
 */
final class Resampler {
    private static final int FRACTION_BITS = 22;
    private static final int HALF = 1 << FRACTION_BITS - 1;
    private static final double CUBIC = -0.5;

    private final Interpolation interpolation;
    private final boolean antialias;

    Resampler(Interpolation interpolation, boolean antialias) {
        this.interpolation = interpolation;
        this.antialias = antialias;
    }

    Pixels resize(Pixels image, int width, int height) {
        if (interpolation == Interpolation.NEAREST) {
            return nearest(image, width, height);
        }
        Pixels rows = width == image.width() ? image : horizontal(image, width);
        return height == image.height() ? rows : vertical(rows, height);
    }

    private static Pixels nearest(Pixels image, int width, int height) {
        int channels = image.channels();
        Pixels result = Pixels.filled(width, height, channels, 0);
        for (int y = 0; y < height; y++) {
            int sourceY = (int) ((2L * y + 1) * image.height() / (2L * height));
            for (int x = 0; x < width; x++) {
                int sourceX = (int) ((2L * x + 1) * image.width() / (2L * width));
                System.arraycopy(
                        image.samples(),
                        (sourceY * image.width() + sourceX) * channels,
                        result.samples(),
                        (y * width + x) * channels,
                        channels);
            }
        }
        return result;
    }

    private Pixels horizontal(Pixels image, int width) {
        int channels = image.channels();
        Pixels result = Pixels.filled(width, image.height(), channels, 0);
        for (int x = 0; x < width; x++) {
            Taps taps = taps(x, width, image.width());
            for (int y = 0; y < image.height(); y++) {
                int source = (y * image.width() + taps.first()) * channels;
                for (int channel = 0; channel < channels; channel++) {
                    result.samples()[(y * width + x) * channels + channel] =
                            weighted(image.samples(), source + channel, channels, taps.weights());
                }
            }
        }
        return result;
    }

    private Pixels vertical(Pixels image, int height) {
        int rowLength = image.width() * image.channels();
        Pixels result = Pixels.filled(image.width(), height, image.channels(), 0);
        for (int y = 0; y < height; y++) {
            Taps taps = taps(y, height, image.height());
            for (int i = 0; i < rowLength; i++) {
                result.samples()[y * rowLength + i] =
                        weighted(image.samples(), taps.first() * rowLength + i, rowLength, taps.weights());
            }
        }
        return result;
    }

    private static byte weighted(byte[] samples, int first, int step, int[] weights) {
        int sum = HALF;
        for (int i = 0; i < weights.length; i++) {
            sum += weights[i] * Byte.toUnsignedInt(samples[first + i * step]);
        }
        return (byte) Math.max(0, Math.min(255, sum >> FRACTION_BITS));
    }

    /** First input pixel and the weights from there on of one output pixel. */
    private record Taps(int first, int[] weights) {}

    private Taps taps(int index, int outputs, int inputs) {
        double ratio = (double) inputs / outputs;
        double scale = antialias ? Math.max(1, ratio) : 1;
        double support = support() * scale;
        double center = (index + 0.5) * ratio;
        int first = Math.max(0, (int) (center - support + 0.5));
        int count = Math.max(1, Math.min(inputs, (int) (center + support + 0.5)) - first);
        double[] exact = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            exact[i] = filter((first + i - center + 0.5) / scale);
            sum += exact[i];
        }
        int[] weights = new int[count];
        for (int i = 0; i < count; i++) {
            double weight = sum == 0 ? 1.0 / count : exact[i] / sum;
            weights[i] = (int) (weight * (1 << FRACTION_BITS) + (weight < 0 ? -0.5 : 0.5));
        }
        return new Taps(first, weights);
    }

    private double support() {
        return switch (interpolation) {
            case BICUBIC -> 2;
            case BILINEAR -> 1;
            default -> 0.5;
        };
    }

    private double filter(double position) {
        double x = Math.abs(position);
        return switch (interpolation) {
            case BICUBIC ->
                x < 1 ? ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * CUBIC : 0;
            case BILINEAR -> Math.max(0, 1 - x);
            default -> position > -0.5 && position <= 0.5 ? 1 : 0;
        };
    }
}
