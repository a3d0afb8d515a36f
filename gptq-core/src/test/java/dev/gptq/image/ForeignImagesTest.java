package dev.gptq.image;

import dev.gptq.config.ImageConfig;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

/** Files that Pillow 9.4 wrote, or that PNG's specification describes, and the colours that Pillow reads in them. */
class ForeignImagesTest {
    /** Adobe's inverted inks, 16 x 8: (200, 30, 60, 10) on the left, (0, 180, 255, 100) on the right. */
    private static final String CMYK_JPEG =
            "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoK"
                    + "CgYICwwLCgwJCgoK/8AAFAgACAAQBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIB"
                    + "AwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZH"
                    + "SElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV"
                    + "1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD826/YSv0Mr91K/sgr+aev486/Jev/2Q==";
    /** 1234 8000 FFFF and 00FF 0100 ABCD. */
    private static final String RGB_16 =
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAIAAAAr0DSeAAAAFUlEQVR4nGMQMmlg+P+f4T8jw+qzAB40BT0JVyZtAAAAAElFTkSu"
                    + "QmCC";
    /** 1234 8000 FFFF, nearly transparent. */
    private static final String RGBA_16 =
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABEAYAAABPhRjKAAAAEUlEQVR4nGMQMmlg+P9fgAEADB4C1URqua8AAAAASUVORK5CYII=";
    /** 50, transparent, and 200. */
    private static final String GREY_ALPHA =
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAQAAABeK7cBAAAADUlEQVR4nGMwYjjxHwADXAH6TURuPwAAAABJRU5ErkJggg==";
    /** Bits 10110001. */
    private static final String GREY_1 =
            "iVBORw0KGgoAAAANSUhEUgAAAAgAAAABAQAAAADLe9LuAAAACklEQVR4nGPYCAAAswCyIZJRygAAAABJRU5ErkJggg==";
    /** Entries 1 and 2 of three, of which the first two are transparent. */
    private static final String PALETTE_4 =
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABBAMAAAAGDGK5AAAACVBMVEUBAgMKFB4oMjyXqe1FAAAAA3RSTlMAgP/s97MYAAAACklE"
                    + "QVR4nGMQAgAAFAATAh172wAAAABJRU5ErkJggg==";
    /** 9 x 6 lossless, half transparent; (200, 30, 60) above, (10, 220, 90) below. */
    private static final String ALPHA_WEBP =
            "UklGRjwAAABXRUJQVlA4TC8AAAAvCEABEBcgEEgi2Z9iToFAEtv0YwkEUhzJJA9g9PACAkkb/oxfyeV8iIj+xwinfQA=";
    /** The same, lossy. */
    private static final String LOSSY_WEBP =
            "UklGRpAAAABXRUJQVlA4WAoAAAAQAAAACAAABQAAQUxQSBMAAAABDzCAERFCTENM/858MkT0P6QBAFZQOCBWAAAAsAIAnQEqCQAG"
                    + "AADAEiWoAnS6AfgBLALf/A87HZyAAP71wP458H7E9ynQCHd5mv/8wqc5tddPPGkfMW/+jSf7bf/tWxM/hpP9tv/2rYmf7/Y/9/Og"
                    + "AAA=";
    /** The same as the first of two frames, the second one inverted. */
    private static final String ANIMATED_WEBP =
            "UklGRqIAAABXRUJQVlA4WAoAAAACAAAACAAABQAAQU5JTQYAAAAAAAAAAABBTk1GOAAAAAAAAAAAAAgAAAUAAAoAAAJWUDhMIAAA"
                    + "AC8IQAEAD3Ah7iv4Xkt8/iMNCtq2YVz+oLtDIqL/0TwAQU5NRjYAAAAAAAAAAAAIAAAFAAAKAAAAVlA4TB0AAAAvCEABAA9wofDf"
                    + "+H5YfP4jDQKBpP2h14jofwB3BwA=";
    /** A PNG of 60,000 x 60,000 pixels in 65 bytes. */
    private static final String BOMB =
            "iVBORw0KGgoAAAANSUhEUgAA6mAAAOpgCAIAAAAPsOIVAAAACElEQVR4nAMAAAAAAUgGidIAAAAASUVORK5CYII=";

    private final ImageDecoding decoding = new ImageDecoding(ImageConfig.defaults());

    @Test
    void inksOfJpegsBecomeColours() throws Exception {
        Pixels pixels = decoded(CMYK_JPEG);

        assertThat(pixels.channels()).isEqualTo(3);
        assertColour(pixels, 3, 4, 53, 216, 187);
        assertColour(pixels, 12, 4, 155, 46, 0);
    }

    @Test
    void deepPngsKeepTheirHighBytes() throws Exception {
        assertThat(decoded(RGB_16).samples()).containsExactly(0x12, 0x80, 0xFF, 0x00, 0x01, 0xAB);
        assertThat(decoded(RGBA_16).samples()).containsExactly(0x12, 0x80, 0xFF);
    }

    @Test
    void transparencyIsLeftOut() throws Exception {
        assertThat(decoded(GREY_ALPHA).samples()).containsExactly(50, 200);
        assertThat(decoded(PALETTE_4).samples()).containsExactly(10, 20, 30, 40, 50, 60);
        Pixels webp = decoded(ALPHA_WEBP);
        assertThat(webp.channels()).isEqualTo(3);
        assertColour(webp, 4, 1, 200, 30, 60);
        assertColour(webp, 4, 5, 10, 220, 90);
    }

    @Test
    void bitsAreBlackAndWhite() throws Exception {
        assertThat(decoded(GREY_1).withChannels(1).samples()).containsExactly(255, 0, 255, 255, 0, 0, 0, 255);
    }

    @Test
    void animationsGiveTheirFirstFrame() throws Exception {
        Pixels webp = decoded(ANIMATED_WEBP);

        assertThat(List.of(webp.width(), webp.height())).containsExactly(9, 6);
        assertColour(webp, 4, 1, 200, 30, 60);
        assertColour(webp, 4, 5, 10, 220, 90);
    }

    /** 10.8 GB of pixels: were they allocated, the tests' memory would not do. */
    @Test
    void aBombIsRefusedByItsHeader() {
        assertThatThrownBy(() -> decoded(BOMB))
                .isInstanceOf(UnusableImageException.class)
                .hasMessage("it has 60000 x 60000 pixels, and image.max_pixels is 50000000");
    }

    /** What a stream says is allocated, whatever the container around it says. */
    @Test
    void aBombInTheStreamOfAWebpIsRefused() {
        byte[] lossy = bytes(LOSSY_WEBP);
        int stream = new String(lossy, StandardCharsets.ISO_8859_1).indexOf("VP8 ") + 8;
        ByteBuffer.wrap(lossy).put(stream + 6, new byte[] {(byte) 0xFF, 0x3F, (byte) 0xFF, 0x3F});
        byte[] animated = bytes(ANIMATED_WEBP);
        stream = new String(animated, StandardCharsets.ISO_8859_1).indexOf("VP8L") + 8;
        ByteBuffer.wrap(animated).put(stream + 1, new byte[] {(byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x0F});

        assertThatThrownBy(() -> decoding.decode(lossy)).hasMessageContaining("it has 16383 x 16383 pixels");
        assertThatThrownBy(() -> decoding.decode(animated)).hasMessageContaining("it has 16384 x 16384 pixels");
    }

    /** Wherever a file ends or a byte is wrong, there is an image or a reason, and no other exception. */
    @Test
    void damagedFilesAreNothingWorseThanUnusable() {
        ImageConfig base = ImageConfig.defaults();
        ImageDecoding small = new ImageDecoding(new ImageConfig(
                base.column(),
                null,
                base.fit(),
                base.interpolation(),
                base.antialias(),
                null,
                base.pad(),
                base.color(),
                base.layout(),
                base.exifOrientation(),
                10_000));
        for (String file :
                List.of(CMYK_JPEG, RGB_16, GREY_ALPHA, GREY_1, PALETTE_4, ALPHA_WEBP, LOSSY_WEBP, ANIMATED_WEBP)) {
            byte[] whole = bytes(file);
            for (int i = 0; i < whole.length; i++) {
                attempt(small, Arrays.copyOf(whole, i));
                byte[] wrong = whole.clone();
                wrong[i] ^= (byte) 0xA5;
                attempt(small, wrong);
            }
        }
    }

    private static void attempt(ImageDecoding decoding, byte[] bytes) {
        try {
            Pixels pixels = decoding.decode(bytes);
            assertThat(pixels.samples()).hasSize(pixels.width() * pixels.height() * pixels.channels());
        } catch (UnusableImageException e) {
            assertThat(e.getMessage()).isNotBlank().doesNotContain("\n");
        }
    }

    private static void assertColour(Pixels pixels, int x, int y, int... rgb) {
        for (int channel = 0; channel < rgb.length; channel++) {
            assertThat(pixels.sample(x, y, channel)).isCloseTo(rgb[channel], within(1));
        }
    }

    private Pixels decoded(String file) throws UnusableImageException {
        return decoding.decode(bytes(file));
    }

    private static byte[] bytes(String file) {
        return Base64.getDecoder().decode(file);
    }
}
