package dev.gptq.image;

import dev.gptq.config.ImageConfig.Interpolation;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.OnnxRuntime;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class ResamplerTest {
    /** Both round once per pass at most, ONNX Runtime at the end only: one step of difference, and one of rounding. */
    private static final float STEPS = 1.5f;

    @ParameterizedTest
    @CsvSource({
        "BILINEAR, true, 40, 30, 17, 13",
        "BILINEAR, true, 17, 13, 40, 30",
        "BILINEAR, false, 40, 30, 17, 13",
        "BICUBIC, true, 40, 30, 17, 13",
        "BICUBIC, true, 16, 9, 31, 40",
        "BICUBIC, false, 16, 9, 31, 40"
    })
    void resizingAgreesWithOnnxRuntime(
            Interpolation interpolation, boolean antialias, int width, int height, int toWidth, int toHeight) {
        Pixels image = TestImages.noise(width, height, 1, 7);
        for (int i = 0; i < image.samples().length; i++) {
            // Far enough from 0 and 255 that no pass saturates.
            image.samples()[i] = (byte) (80 + (image.samples()[i] & 63));
        }

        Pixels resized = new Resampler(interpolation, antialias).resize(image, toWidth, toHeight);

        float[] expected = onnxResize(image, interpolation, antialias, toWidth, toHeight);
        // ONNX gives weights beyond the edge to the edge where it is linear; here, as in Pillow, they are left out.
        int border = interpolation == Interpolation.BILINEAR && antialias ? 2 : 0;
        for (int i = 0; i < expected.length; i++) {
            int x = i % toWidth;
            int y = i / toWidth;
            if (Math.min(Math.min(x, toWidth - 1 - x), Math.min(y, toHeight - 1 - y)) < border) {
                continue;
            }
            assertThat((float) Byte.toUnsignedInt(resized.samples()[i])).isCloseTo(expected[i], within(STEPS));
        }
    }

    private static float[] onnxResize(
            Pixels image, Interpolation interpolation, boolean antialias, int toWidth, int toHeight) {
        boolean cubic = interpolation == Interpolation.BICUBIC;
        byte[] model = OnnxWriter.write(new GraphBuilder(18)
                .input("x", 1, 1, image.height(), image.width())
                .longs("sizes", 1, 1, toHeight, toWidth)
                .node(
                        "Resize",
                        "x - - sizes",
                        "y",
                        "mode",
                        cubic ? "cubic" : "linear",
                        "antialias",
                        antialias ? 1L : 0L,
                        "coordinate_transformation_mode",
                        "half_pixel",
                        "cubic_coeff_a",
                        -0.5f,
                        "exclude_outside",
                        cubic ? 1L : 0L)
                .output("y", ElementType.FLOAT32)
                .build());
        float[] values = new float[image.samples().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = Byte.toUnsignedInt(image.samples()[i]);
        }
        TensorData x = TensorData.ofFloats(values, new long[] {1, 1, image.height(), image.width()});
        return OnnxRuntime.run(model, Map.of("x", x)).get("y").floats();
    }

    @Test
    void areaOfAWholeFactorIsTheMeanOfEachBlock() {
        Pixels image = TestImages.noise(12, 8, 3, 3);

        Pixels resized = new Resampler(Interpolation.AREA, true).resize(image, 4, 4);

        for (int y = 0; y < 4; y++) {
            for (int x = 0; x < 4; x++) {
                for (int channel = 0; channel < 3; channel++) {
                    double sum = 0;
                    for (int i = 0; i < 6; i++) {
                        sum += image.sample(3 * x + i % 3, 2 * y + i / 3, channel);
                    }
                    assertThat((double) resized.sample(x, y, channel)).isCloseTo(sum / 6, within(1.0));
                }
            }
        }
    }

    @Test
    void nearestTakesThePixelUnderTheCentre() {
        Pixels image = new Pixels(4, 1, 1, new byte[] {10, 20, 30, 40});

        assertThat(new Resampler(Interpolation.NEAREST, true)
                        .resize(image, 2, 1)
                        .samples())
                .containsExactly(20, 40);
        assertThat(new Resampler(Interpolation.NEAREST, true)
                        .resize(image, 6, 1)
                        .samples())
                .containsExactly(10, 20, 20, 30, 40, 40);
    }

    @Test
    void oneValueStaysWhatItIsUnderEveryFilter() {
        Pixels image = Pixels.filled(9, 7, 3, 201);

        for (Interpolation interpolation : Interpolation.values()) {
            Pixels resized = new Resampler(interpolation, true).resize(image, 4, 12);
            assertThat(resized.samples()).hasSize(144).containsOnly((byte) 201);
        }
    }
}
