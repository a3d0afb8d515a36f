package dev.gptq.config;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;

/**
 * How an encoded image becomes the raw values of a model input, in this order: orientation, colour, resize, crop, layout.
 * Scale, mean and std of the {@link InputMapping} follow. Everything after decoding is integer arithmetic in Java.
 *
 * @param column the binary column with encoded images; for image files the name under which inputs find their content
 * @param resize null; one extent for the shorter edge, the aspect ratio kept; or height and width
 * @param fit what resizing to height and width does to the aspect ratio
 * @param antialias whether filters widen when an image is made smaller, as Pillow does; OpenCV does not
 * @param crop null; the centre square of one extent; or the centre of height and width. What is missing is padded
 * @param pad value of padded pixels, 0 to 255
 * @param exifOrientation whether a camera's note of how it was held is followed
 * @param maxPixels larger images are refused before they are decoded
 */
public record ImageConfig(
        String column,
        int[] resize,
        Fit fit,
        Interpolation interpolation,
        boolean antialias,
        int[] crop,
        int pad,
        Color color,
        Layout layout,
        boolean exifOrientation,
        long maxPixels)
        implements Serializable {
    static final long DEFAULT_MAX_PIXELS = 50_000_000;

    private static final int LARGEST_EXTENT = 1 << 14;

    /** What becomes of the aspect ratio. */
    public enum Fit {
        STRETCH,
        LETTERBOX
    }

    /** The filter of a resize; see Resampler for its definition. */
    public enum Interpolation {
        NEAREST,
        BILINEAR,
        BICUBIC,
        AREA
    }

    /** Channels and their order. */
    public enum Color {
        RGB,
        BGR,
        GREY;

        /** Channels of an image. */
        public int channels() {
            return this == GREY ? 1 : 3;
        }
    }

    /** Order of the values of one sample. */
    public enum Layout {
        NCHW,
        NHWC
    }

    public ImageConfig {
        Check.text(column, "image.column", "Set it to a binary column, or use image for files");
        resize = extents(resize, "image.resize");
        crop = extents(crop, "image.crop");
        Check.given(fit, "image.fit", "Use stretch or letterbox");
        Check.given(interpolation, "image.interpolation", "Use bilinear");
        Check.given(color, "image.color", "Use rgb, bgr or grey");
        Check.given(layout, "image.layout", "Use nchw or nhwc");
        Check.between(pad, 0, 255, "image.pad");
        Check.atLeast(maxPixels, 1, "image.max_pixels");
        Check.that(
                fit == Fit.STRETCH || (resize != null && resize.length == 2),
                "image.fit",
                fit.name().toLowerCase(Locale.ROOT),
                "it needs height and width to fit into",
                "Set image.resize to [height, width]");
    }

    private static int[] extents(int[] extents, String key) {
        if (extents == null) {
            return null;
        }
        Check.that(
                (extents.length == 1 || extents.length == 2)
                        && Arrays.stream(extents).allMatch(extent -> extent >= 1 && extent <= LARGEST_EXTENT),
                key,
                Arrays.toString(extents),
                "it is not one extent or height and width, from 1 to " + LARGEST_EXTENT,
                "Use for example 224 or [224, 224]");
        return extents.clone();
    }

    /** RGB values of 0 to 255 in NCHW at the size that images have. */
    public static ImageConfig defaults() {
        return new ImageConfig(
                "image",
                null,
                Fit.STRETCH,
                Interpolation.BILINEAR,
                true,
                null,
                0,
                Color.RGB,
                Layout.NCHW,
                true,
                DEFAULT_MAX_PIXELS);
    }

    @Override
    public int[] resize() {
        return resize == null ? null : resize.clone();
    }

    @Override
    public int[] crop() {
        return crop == null ? null : crop.clone();
    }

    /** Height and width that every image has in the end, or null when they follow from the image. */
    public int[] size() {
        if (crop != null) {
            return new int[] {crop[0], crop[crop.length - 1]};
        }
        return resize != null && resize.length == 2 ? resize() : null;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ImageConfig that
                && Arrays.equals(resize, that.resize)
                && Arrays.equals(crop, that.crop)
                && scalars().equals(that.scalars());
    }

    private java.util.List<Object> scalars() {
        return java.util.List.of(column, fit, interpolation, antialias, pad, color, layout, exifOrientation, maxPixels);
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.hashCode(resize), Arrays.hashCode(crop), scalars());
    }
}
