package dev.gptq.image;

import dev.gptq.config.ImageConfig;
import dev.gptq.config.ImageConfig.Color;
import dev.gptq.config.ImageConfig.Fit;
import dev.gptq.config.ImageConfig.Layout;
import java.awt.image.BufferedImage;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ImagePreprocessingTest {
    @Test
    void layoutAndColourOrderPlaceEveryValue() throws Exception {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, 0x010203);
        image.setRGB(1, 0, 0x0A0B0C);
        byte[] png = TestImages.encoded(image, "png");

        ImagePreprocessing.Result planes =
                apply(TestImages.config(null, Fit.STRETCH, null, Color.RGB, Layout.NCHW), png);
        ImagePreprocessing.Result pixels =
                apply(TestImages.config(null, Fit.STRETCH, null, Color.BGR, Layout.NHWC), png);
        ImagePreprocessing.Result grey =
                apply(TestImages.config(null, Fit.STRETCH, null, Color.GREY, Layout.NHWC), png);

        assertThat(planes.values()).containsExactly(1, 10, 2, 11, 3, 12);
        assertThat(planes.shape()).containsExactly(3, 1, 2);
        assertThat(pixels.values()).containsExactly(3, 2, 1, 12, 11, 10);
        assertThat(pixels.shape()).containsExactly(1, 2, 3);
        // Luma of BT.601: 0.299 * 1 + 0.587 * 2 + 0.114 * 3 = 1.8, and 10.8.
        assertThat(grey.values()).containsExactly(2, 11);
        assertThat(grey.shape()).containsExactly(1, 2, 1);
    }

    @Test
    void aLetterboxKeepsTheAspectRatioAndPadsTheRest() throws Exception {
        byte[] wide = white(20, 10);

        ImagePreprocessing.Result result = apply(grey(new int[] {8, 8}, Fit.LETTERBOX, null), wide);

        assertThat(result.shape()).containsExactly(1, 8, 8);
        for (int y = 0; y < 8; y++) {
            for (int x = 0; x < 8; x++) {
                assertThat(result.values()[8 * y + x]).isEqualTo(y < 2 || y >= 6 ? 114 : 255);
            }
        }
    }

    @Test
    void theShorterEdgeIsResizedAndTheCentreKept() throws Exception {
        BufferedImage image = new BufferedImage(40, 10, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 100; i++) {
            image.setRGB(15 + i % 10, i / 10, 0xFFFFFF);
        }

        ImagePreprocessing.Result result =
                apply(grey(new int[] {10}, Fit.STRETCH, new int[] {10}), TestImages.encoded(image, "png"));

        assertThat(result.shape()).containsExactly(1, 10, 10);
        assertThat(result.values()).containsOnly(255);
        assertThat(apply(grey(new int[] {5}, Fit.STRETCH, null), white(40, 11)).shape())
                .containsExactly(1, 5, 5 * 40 / 11);
    }

    @Test
    void aCropBeyondTheImageIsPaddedOnAllSides() throws Exception {
        ImagePreprocessing.Result result = apply(grey(null, Fit.STRETCH, new int[] {4, 2}), white(2, 2));

        assertThat(result.values()).containsExactly(114, 114, 255, 255, 255, 255, 114, 114);
    }

    @Test
    void aSliverThatResizingWouldBlowUpIsRefused() throws Exception {
        byte[] sliver = white(1000, 1);

        assertThatThrownBy(() -> apply(grey(new int[] {10_000}, Fit.STRETCH, null), sliver))
                .isInstanceOf(UnusableImageException.class)
                .hasMessageContaining("would become 10000000 x 10000");
    }

    @Test
    void theShapeIsKnownWhereTheConfigurationDecidesIt() {
        assertThat(new ImagePreprocessing(grey(new int[] {5}, Fit.STRETCH, null)).shape())
                .isNull();
        assertThat(new ImagePreprocessing(grey(new int[] {5}, Fit.STRETCH, new int[] {4})).shape())
                .containsExactly(1, 4, 4);
        assertThat(new ImagePreprocessing(grey(new int[] {5, 6}, Fit.STRETCH, null)).shape())
                .containsExactly(1, 5, 6);
    }

    private static ImageConfig grey(int[] resize, Fit fit, int[] crop) {
        return TestImages.config(resize, fit, crop, Color.GREY, Layout.NCHW);
    }

    private static byte[] white(int width, int height) throws Exception {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < width * height; i++) {
            image.setRGB(i % width, i / width, 0xFFFFFF);
        }
        return TestImages.encoded(image, "png");
    }

    private static ImagePreprocessing.Result apply(ImageConfig config, byte[] bytes) throws Exception {
        return new ImagePreprocessing(config).apply(bytes);
    }
}
