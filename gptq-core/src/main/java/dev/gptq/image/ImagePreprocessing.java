package dev.gptq.image;

import dev.gptq.config.ImageConfig;

/** An encoded image -> raw values of a model input, as an {@link ImageConfig} describes it. */
public final class ImagePreprocessing {
    /** No format needs more bytes for a pixel; what is above is no image of the allowed size. */
    private static final long LARGEST_PIXEL_BYTES = 16;

    private static final long LARGEST_HEADER_BYTES = 16 << 20;

    /** Up to here a resized image may grow however small max_pixels is. */
    private static final long ALWAYS_ALLOWED_PIXELS = 1 << 25;

    private final ImageConfig config;
    private final ImageDecoding decoding;
    private final Resampler resampler;

    public ImagePreprocessing(ImageConfig config) {
        this.config = config;
        this.decoding = new ImageDecoding(config);
        this.resampler = new Resampler(config.interpolation(), config.antialias());
    }

    /**
     * Raw values in row-major order.
     *
     * @param values 0 to 255
     * @param shape [channels, height, width], or [height, width, channels]
     */
    public record Result(double[] values, long[] shape) {}

    /** Bytes that a file may have at most. */
    public long maxBytes() {
        return Math.min(Integer.MAX_VALUE - 8L, LARGEST_PIXEL_BYTES * config.maxPixels() + LARGEST_HEADER_BYTES);
    }

    /** Shape of every result, or null when it follows from the image. */
    public long[] shape() {
        int[] size = config.size();
        return size == null ? null : shape(size[1], size[0]);
    }

    /** @throws UnusableImageException when the bytes are no image, or one that is too large */
    public Result apply(byte[] bytes) throws UnusableImageException {
        Pixels image = decoding.decode(bytes).withChannels(config.color().channels());
        image = resized(image);
        if (config.crop() != null) {
            image = cropped(image, config.size()[1], config.size()[0]);
        }
        return new Result(values(image), shape(image.width(), image.height()));
    }

    private Pixels resized(Pixels image) throws UnusableImageException {
        int[] resize = config.resize();
        if (resize == null) {
            return image;
        }
        long width = image.width();
        long height = image.height();
        if (resize.length == 1) {
            boolean wide = width > height;
            long longer = resize[0] * Math.max(width, height) / Math.min(width, height);
            return resample(image, wide ? longer : resize[0], wide ? resize[0] : longer);
        }
        if (config.fit() == ImageConfig.Fit.STRETCH) {
            return resample(image, resize[1], resize[0]);
        }
        // The edge that meets its limit first decides; the other one is rounded.
        boolean byHeight = resize[0] * width <= resize[1] * height;
        long fitWidth = byHeight ? Math.max(1, (2 * width * resize[0] + height) / (2 * height)) : resize[1];
        long fitHeight = byHeight ? resize[0] : Math.max(1, (2 * height * resize[1] + width) / (2 * width));
        Pixels fitted = resample(image, fitWidth, fitHeight);
        Pixels box = Pixels.filled(resize[1], resize[0], image.channels(), config.pad());
        fitted.copyInto(box, (resize[1] - fitted.width()) / 2, (resize[0] - fitted.height()) / 2);
        return box;
    }

    private Pixels resample(Pixels image, long width, long height) throws UnusableImageException {
        int[] resize = config.resize();
        long asked = resize.length == 2 ? (long) resize[0] * resize[1] : 0;
        // Rows are done first, so the largest of three images is one of the new width.
        long largest = width * Math.max(height, image.height());
        if (largest > Math.max(asked, Math.max(config.maxPixels(), ALWAYS_ALLOWED_PIXELS))
                || largest * image.channels() > Integer.MAX_VALUE - 8) {
            throw new UnusableImageException("its " + image.width() + " x " + image.height() + " pixels would become "
                    + width + " x " + height + " (image.resize)");
        }
        return resampler.resize(image, (int) width, (int) height);
    }

    private Pixels cropped(Pixels image, int width, int height) {
        Pixels window = Pixels.filled(width, height, image.channels(), config.pad());
        image.copyInto(window, offset(image.width(), width), offset(image.height(), height));
        return window;
    }

    /** Where the image begins in the window; torchvision's CenterCrop rounds halves to even numbers when it cuts. */
    private static int offset(int extent, int window) {
        return extent >= window ? -(int) Math.rint((extent - window) / 2.0) : (window - extent) / 2;
    }

    private double[] values(Pixels image) {
        int channels = image.channels();
        int area = image.width() * image.height();
        boolean reversed = config.color() == ImageConfig.Color.BGR;
        boolean last = config.layout() == ImageConfig.Layout.NHWC;
        double[] values = new double[area * channels];
        for (int pixel = 0; pixel < area; pixel++) {
            for (int channel = 0; channel < channels; channel++) {
                int source = reversed ? channels - 1 - channel : channel;
                values[last ? pixel * channels + channel : channel * area + pixel] =
                        Byte.toUnsignedInt(image.samples()[pixel * channels + source]);
            }
        }
        return values;
    }

    private long[] shape(long width, long height) {
        long channels = config.color().channels();
        return config.layout() == ImageConfig.Layout.NHWC
                ? new long[] {height, width, channels}
                : new long[] {channels, height, width};
    }
}
