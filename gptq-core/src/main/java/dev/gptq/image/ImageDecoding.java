package dev.gptq.image;

import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import dev.gptq.config.ImageConfig;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Encoded bytes -> pixels. The bytes themselves say what they are; names and other plugins of the JVM have no say. */
final class ImageDecoding {
    private static final int BYTE_VALUES = 255;

    private final ImageConfig config;

    ImageDecoding(ImageConfig config) {
        this.config = config;
    }

    /** Grey or RGB, turned as the file says where that is asked for. */
    Pixels decode(byte[] bytes) throws UnusableImageException {
        String format = format(bytes);
        ImageReader reader = reader(format);
        try (MemoryCacheImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
            reader.setInput(in, true, true);
            if (format.equals("jpeg")) {
                JpegHeader header = JpegHeader.parse(bytes);
                checkSize(header.width(), header.height());
                Pixels image = JpegColors.convert(raster(reader), header);
                return config.exifOrientation() ? image.oriented(header.orientation()) : image;
            }
            if (format.equals("webp")) {
                for (int[] size : WebpSizes.of(bytes)) {
                    checkSize(size[0], size[1]);
                }
            }
            checkSize(reader.getWidth(0), reader.getHeight(0));
            return pixels(reader.read(0));
        } catch (IOException | RuntimeException e) {
            // Readers answer damaged files with all kinds of runtime exceptions.
            String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            throw new UnusableImageException("the " + format + " file is damaged: "
                    + reason.lines().findFirst().orElse("").replaceAll("\\.+$", ""));
        } finally {
            reader.dispose();
        }
    }

    /** The file's samples; one that ends too early is only a warning to the reader, which fills the rest with grey. */
    private static Raster raster(ImageReader reader) throws IOException, UnusableImageException {
        List<String> warnings = new ArrayList<>();
        reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
        Raster raster = reader.readRaster(0, null);
        if (warnings.stream()
                .anyMatch(warning -> warning.startsWith("Premature end") || warning.startsWith("Truncated"))) {
            throw new UnusableImageException("the jpeg file is damaged: it ends too early");
        }
        return raster;
    }

    private static String format(byte[] bytes) throws UnusableImageException {
        if (startsWith(bytes, 0, 0xFF, 0xD8, 0xFF)) {
            return "jpeg";
        } else if (startsWith(bytes, 0, 0x89, 'P', 'N', 'G')) {
            return "png";
        } else if (startsWith(bytes, 0, 'B', 'M')) {
            return "bmp";
        } else if (startsWith(bytes, 0, 'I', 'I', 42, 0) || startsWith(bytes, 0, 'M', 'M', 0, 42)) {
            return "tiff";
        } else if (startsWith(bytes, 0, 'R', 'I', 'F', 'F') && startsWith(bytes, 8, 'W', 'E', 'B', 'P')) {
            return "webp";
        }
        throw new UnusableImageException("it is no JPEG, PNG, BMP, TIFF or WebP image");
    }

    private static boolean startsWith(byte[] bytes, int start, int... values) {
        for (int i = 0; i < values.length; i++) {
            if (start + i >= bytes.length || Byte.toUnsignedInt(bytes[start + i]) != values[i]) {
                return false;
            }
        }
        return true;
    }

    /** The JDK's own reader, so that every machine has the same one; the JDK has none for WebP. */
    private static ImageReader reader(String format) {
        if (format.equals("webp")) {
            return new WebPImageReaderSpi().createReaderInstance(null);
        }
        for (Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format); readers.hasNext(); ) {
            ImageReader reader = readers.next();
            if (reader.getClass().getName().startsWith("com.sun.imageio.")) {
                return reader;
            }
        }
        throw new IllegalStateException("This Java runtime has no reader for " + format + ".");
    }

    private void checkSize(int width, int height) throws UnusableImageException {
        if (width < 1 || height < 1 || (long) width * height > config.maxPixels()) {
            throw new UnusableImageException(
                    "it has " + width + " x " + height + " pixels, and image.max_pixels is " + config.maxPixels());
        }
    }

    private static Pixels pixels(BufferedImage image) throws UnusableImageException {
        int width = image.getWidth();
        int height = image.getHeight();
        ColorModel colors = image.getColorModel();
        Raster raster = image.getRaster();
        boolean indexed = colors instanceof IndexColorModel;
        boolean grey = !indexed && colors.getColorSpace().getType() == ColorSpace.TYPE_GRAY;
        if (!indexed
                && !grey
                && (colors.getColorSpace().getType() != ColorSpace.TYPE_RGB || raster.getNumBands() < 3)) {
            throw new UnusableImageException("its colours are neither RGB nor grey");
        }
        Pixels pixels = Pixels.filled(width, height, grey ? 1 : 3, 0);
        int[] row = new int[width * raster.getNumBands()];
        int target = 0;
        for (int y = 0; y < height; y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < width; x++) {
                for (int channel = 0; channel < pixels.channels(); channel++) {
                    pixels.samples()[target++] = (byte)
                            (indexed
                                    ? colors.getRGB(row[x]) >> 16 - 8 * channel
                                    : toByte(row[x * raster.getNumBands() + channel], raster, channel));
                }
            }
        }
        return pixels;
    }

    /** Wider samples lose their low bits, narrower ones are stretched. Raw samples, not getRGB, which bends greys. */
    private static int toByte(int sample, Raster raster, int band) throws UnusableImageException {
        int bits = raster.getSampleModel().getSampleSize(band);
        if (bits > Short.SIZE) {
            throw new UnusableImageException("its samples have " + bits + " bits");
        }
        return bits >= Byte.SIZE ? sample >> bits - Byte.SIZE : sample * BYTE_VALUES / ((1 << bits) - 1);
    }
}
