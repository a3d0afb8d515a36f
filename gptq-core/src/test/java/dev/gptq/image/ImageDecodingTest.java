package dev.gptq.image;

import dev.gptq.config.ImageConfig;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

class ImageDecodingTest {
    private final ImageDecoding decoding = new ImageDecoding(ImageConfig.defaults());

    @ParameterizedTest
    @ValueSource(strings = {"png", "bmp", "tiff"})
    void losslessFormatsGiveThePixelsThatWentIn(String format) throws Exception {
        BufferedImage image = TestImages.smooth(13, 9);

        Pixels pixels = decoding.decode(TestImages.encoded(image, format));

        assertThat(pixels.channels()).isEqualTo(3);
        for (int y = 0; y < 9; y++) {
            for (int x = 0; x < 13; x++) {
                assertThat(rgb(pixels, x, y)).isEqualTo(image.getRGB(x, y) & 0xFFFFFF);
            }
        }
    }

    @Test
    void jpegsAreDecodedAsTheJdkDecodesThemWithoutColourProfiles() throws Exception {
        byte[] jpeg = TestImages.encoded(TestImages.smooth(33, 20), "jpeg");

        Pixels pixels = decoding.decode(jpeg);

        BufferedImage expected = ImageIO.read(new java.io.ByteArrayInputStream(jpeg));
        for (int y = 0; y < 20; y++) {
            for (int x = 0; x < 33; x++) {
                int color = expected.getRGB(x, y);
                for (int channel = 0; channel < 3; channel++) {
                    assertThat(pixels.sample(x, y, channel)).isCloseTo(color >> 16 - 8 * channel & 0xFF, within(1));
                }
            }
        }
    }

    @Test
    void greyPixelsAreTakenAsTheyAreStored() throws Exception {
        BufferedImage image = new BufferedImage(4, 1, BufferedImage.TYPE_BYTE_GRAY);
        image.getRaster().setPixels(0, 0, 4, 1, new int[] {0, 50, 128, 255});
        BufferedImage wide = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_GRAY);
        wide.getRaster().setPixels(0, 0, 2, 1, new int[] {0x1234, 0xFF00});

        assertThat(decoding.decode(TestImages.encoded(image, "png")).samples())
                .containsExactly(0, 50, (byte) 128, (byte) 255);
        assertThat(decoding.decode(TestImages.encoded(wide, "png")).samples()).containsExactly(0x12, (byte) 0xFF);
        BufferedImage flat = new BufferedImage(16, 16, BufferedImage.TYPE_BYTE_GRAY);
        flat.getRaster()
                .setPixels(
                        0,
                        0,
                        16,
                        16,
                        java.util.stream.IntStream.generate(() -> 60).limit(256).toArray());
        Pixels jpeg = decoding.decode(TestImages.encoded(flat, "jpeg"));
        assertThat(jpeg.channels()).isEqualTo(1);
        assertThat(jpeg.sample(7, 7, 0)).isCloseTo(60, within(2));
    }

    @Test
    void palettesAndTransparencyGiveTheirColours() throws Exception {
        BufferedImage indexed = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_INDEXED);
        indexed.setRGB(0, 0, 0xFFFF0000);
        indexed.setRGB(1, 0, 0xFF0000FF);
        BufferedImage transparent = new BufferedImage(1, 1, BufferedImage.TYPE_INT_ARGB);
        transparent.setRGB(0, 0, 0x80102030);

        Pixels palette = decoding.decode(TestImages.encoded(indexed, "png"));

        assertThat(rgb(palette, 0, 0)).isEqualTo(0xFF0000);
        assertThat(rgb(palette, 1, 0)).isEqualTo(0x0000FF);
        assertThat(rgb(decoding.decode(TestImages.encoded(transparent, "png")), 0, 0))
                .isEqualTo(0x102030);
    }

    @Test
    void webpIsDecoded() throws Exception {
        Pixels pixels = decoding.decode(TestImages.webp(5, 3, 200, 100, 7));

        assertThat(pixels.width()).isEqualTo(5);
        assertThat(pixels.height()).isEqualTo(3);
        assertThat(rgb(pixels, 4, 2)).isEqualTo(200 << 16 | 100 << 8 | 7);
    }

    /** The rows and columns of the EXIF specification's picture: where the corner of the stored first pixel goes. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void camerasThatWereTurnedAreTurnedBack(int orientation) throws Exception {
        BufferedImage image = new BufferedImage(32, 16, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 64; i++) {
            image.setRGB(i % 8, i / 8, 0xFFFFFF);
        }
        byte[] jpeg = TestImages.oriented(TestImages.encoded(image, "jpeg"), orientation);

        Pixels pixels = decoding.decode(jpeg);

        boolean turned = orientation >= 5;
        boolean right = Arrays.asList(2, 3, 6, 7).contains(orientation);
        boolean bottom = Arrays.asList(3, 4, 7, 8).contains(orientation);
        assertThat(pixels.width()).isEqualTo(turned ? 16 : 32);
        int x = right ? pixels.width() - 4 : 3;
        int y = bottom ? pixels.height() - 4 : 3;
        assertThat(pixels.sample(x, y, 0)).isGreaterThan(200);
        assertThat(pixels.sample(pixels.width() - 1 - x, y, 0)).isLessThan(50);
        assertThat(pixels.sample(x, pixels.height() - 1 - y, 0)).isLessThan(50);
    }

    @Test
    void whatIsNoImageIsRefused() throws IOException {
        byte[] png = TestImages.encoded(TestImages.smooth(20, 20), "png");
        byte[] jpeg = TestImages.encoded(TestImages.smooth(20, 20), "jpeg");

        refused("GIF89a".getBytes(java.nio.charset.StandardCharsets.US_ASCII), "no JPEG, PNG, BMP, TIFF or WebP");
        refused(new byte[0], "no JPEG");
        refused(Arrays.copyOf(png, 60), "png file is damaged");
        refused(Arrays.copyOf(jpeg, 30), "damaged");
        refused(Arrays.copyOf(jpeg, jpeg.length - 20), "it ends too early");
        refused(Arrays.copyOf(TestImages.webp(5, 3, 1, 2, 3), 24), "webp file is damaged");
    }

    /** A PNG of 100,000 x 100,000 pixels in 45 bytes, as its header says. */
    @Test
    void bombsAreRefusedByTheirHeader() throws IOException {
        byte[] png = TestImages.encoded(TestImages.smooth(20, 20), "png");
        java.nio.ByteBuffer header = java.nio.ByteBuffer.wrap(png);
        header.putInt(16, 100_000).putInt(20, 100_000);
        CRC32 crc = new CRC32();
        crc.update(png, 12, 17);
        header.putInt(29, (int) crc.getValue());
        byte[] jpeg = TestImages.encoded(TestImages.smooth(20, 20), "jpeg");
        for (int i = 0; i < jpeg.length - 8; i++) {
            if (jpeg[i] == (byte) 0xFF && jpeg[i + 1] == (byte) 0xC0) {
                Arrays.fill(jpeg, i + 5, i + 9, (byte) 0xF0);
            }
        }

        refused(png, "100000 x 100000 pixels, and image.max_pixels is 50000000");
        refused(jpeg, "61680 x 61680 pixels");
    }

    private void refused(byte[] bytes, String reason) {
        assertThatThrownBy(() -> decoding.decode(bytes))
                .isInstanceOf(UnusableImageException.class)
                .hasMessageContaining(reason);
    }

    private static int rgb(Pixels pixels, int x, int y) {
        return pixels.sample(x, y, 0) << 16 | pixels.sample(x, y, 1) << 8 | pixels.sample(x, y, 2);
    }
}
