package dev.gptq.report;

import dev.gptq.graph.TensorData;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Base64;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class SampleImageTest {
    private static final double[] ZERO = {0};
    private static final double[] ONE = {1};

    @Test
    void aGreyImageReachesFromBlackToWhite() throws IOException {
        float[] values = new float[4 * 5];
        for (int i = 0; i < values.length; i++) {
            values[i] = -1 + i / 9.5f;
        }

        BufferedImage image = read(SampleImage.of(TensorData.ofFloats(values, 1, 1, 4, 5), ZERO, ONE));

        assertThat(image.getWidth()).isEqualTo(5);
        assertThat(image.getHeight()).isEqualTo(4);
        assertThat(image.getRaster().getSample(0, 0, 0)).isZero();
        assertThat(image.getRaster().getSample(4, 3, 0)).isEqualTo(255);
        // Value 10 of 0 to 19.
        assertThat(image.getRaster().getSample(0, 2, 0)).isEqualTo(Math.round(255 * 10 / 19f));
    }

    @Test
    void coloursAreRestoredFromTheirMeansInEitherLayout() throws IOException {
        double[] mean = {0.5, 0.25, 0};
        double[] std = {0.5, 0.25, 1};
        float[] first = new float[3 * 16];
        float[] last = new float[16 * 3];
        for (int pixel = 0; pixel < 16; pixel++) {
            double[] colour = {pixel == 0 ? 1 : 0, pixel == 1 ? 0.5 : 0, pixel == 2 ? 1 : 0};
            for (int channel = 0; channel < 3; channel++) {
                float value = (float) ((colour[channel] - mean[channel]) / std[channel]);
                first[channel * 16 + pixel] = value;
                last[pixel * 3 + channel] = value;
            }
        }

        BufferedImage planes = read(SampleImage.of(TensorData.ofFloats(first, 1, 3, 4, 4), mean, std));
        BufferedImage pixels = read(SampleImage.of(TensorData.ofFloats(last, 1, 4, 4, 3), mean, std));

        for (BufferedImage image : new BufferedImage[] {planes, pixels}) {
            assertThat(image.getRGB(0, 0) & 0xffffff).isEqualTo(0xff0000);
            assertThat(image.getRGB(1, 0) & 0xffffff).isEqualTo(0x008000);
            assertThat(image.getRGB(2, 0) & 0xffffff).isEqualTo(0x0000ff);
            assertThat(image.getRGB(3, 3) & 0xffffff).isZero();
        }
    }

    @Test
    void aLargeImageIsMadeSmall() throws IOException {
        BufferedImage image =
                read(SampleImage.of(TensorData.ofFloats(new float[3 * 640 * 320], 1, 3, 640, 320), ZERO, ONE));

        assertThat(image.getHeight()).isEqualTo(160);
        assertThat(image.getWidth()).isEqualTo(80);
    }

    @Test
    void whatIsNoImageHasNone() {
        assertThat(SampleImage.of(TensorData.ofFloats(new float[8], 1, 8), ZERO, ONE))
                .isNull();
        assertThat(SampleImage.of(TensorData.ofFloats(new float[7 * 64], 1, 7, 8, 8), ZERO, ONE))
                .isNull();
    }

    private static BufferedImage read(String address) throws IOException {
        String prefix = "data:image/png;base64,";
        assertThat(address).startsWith(prefix);
        return ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(address.substring(prefix.length()))));
    }
}
