package dev.gptq.report;

import dev.gptq.graph.TensorData;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import javax.imageio.ImageIO;

/** A model input as a picture. */
public final class SampleImage {
    private static final int SMALLEST = 4;
    private static final int LARGEST = 160;
    private static final int COLOURS = 3;
    private static final int BYTE = 255;
    private static final String PREFIX = "data:image/png;base64,";

    private SampleImage() {}

    /**
     * The first sample of a batch as a {@code data:} address of a PNG file, at most 160 pixels wide and high; null when the
     * tensor is no image: [N, C, H, W] or [N, H, W, C] of one or three channels and at least four pixels a side.
     *
     * @param mean what preparation subtracted, one value or one per channel; it is undone, and the result stretched to the
     *     whole range from black to white
     * @param std what it divided by, likewise
     */
    public static String of(TensorData input, double[] mean, double[] std) {
        long[] shape = input.shape();
        if (shape.length != 4 || !input.type().isFloating()) {
            return null;
        }
        boolean channelsFirst = isColours(shape[1]) && shape[2] >= SMALLEST && shape[3] >= SMALLEST;
        boolean channelsLast = isColours(shape[3]) && shape[1] >= SMALLEST && shape[2] >= SMALLEST;
        if (!channelsFirst && !channelsLast) {
            return null;
        }
        int channels = (int) (channelsFirst ? shape[1] : shape[3]);
        int height = (int) (channelsFirst ? shape[2] : shape[1]);
        int width = (int) (channelsFirst ? shape[3] : shape[2]);
        double[][] planes = new double[channels][height * width];
        float[] values = input.floats();
        for (int channel = 0; channel < channels; channel++) {
            for (int pixel = 0; pixel < height * width; pixel++) {
                float value = values[channelsFirst ? channel * height * width + pixel : pixel * channels + channel];
                planes[channel][pixel] = value * of(std, channel) + of(mean, channel);
            }
        }
        return PREFIX + Base64.getEncoder().encodeToString(png(planes, height, width));
    }

    private static boolean isColours(long extent) {
        return extent == 1 || extent == COLOURS;
    }

    private static double of(double[] values, int channel) {
        return values[values.length == 1 ? 0 : channel % values.length];
    }

    private static byte[] png(double[][] planes, int height, int width) {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (double[] plane : planes) {
            for (double value : plane) {
                low = Math.min(low, value);
                high = Math.max(high, value);
            }
        }
        double unit = high > low ? BYTE / (high - low) : 0;
        // Larger ones are sampled: a report is no place for a photograph of full size.
        int step = Math.max(1, (Math.max(height, width) + LARGEST - 1) / LARGEST);
        BufferedImage image = new BufferedImage(
                (width + step - 1) / step,
                (height + step - 1) / step,
                planes.length == 1 ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                int pixel = y * step * width + x * step;
                for (int channel = 0; channel < planes.length; channel++) {
                    int level = (int) Math.round((planes[channel][pixel] - low) * unit);
                    image.getRaster().setSample(x, y, channel, level);
                }
            }
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
