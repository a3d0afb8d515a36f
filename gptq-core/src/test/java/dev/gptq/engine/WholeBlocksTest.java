package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** The engine's own convolutions are compared, too, so that a machine on which they are wrong in other ways shows it. */
class WholeBlocksTest {
    private static final int SAMPLES = 2;
    private static final int SIDE = 11;

    private record Form(int rank, int inputs, int outputs, int kernel, int stride, int dilation, int groups) {}

    private interface Convolution {
        NDArray apply(
                NDArray x, NDArray weight, NDArray bias, long[] strides, long[] pads, long[] dilations, int groups);
    }

    @ParameterizedTest
    @CsvSource({
        "2, 3, 20, 3, 1, 1, 1",
        "2, 20, 1, 3, 1, 1, 1",
        "2, 12, 6, 2, 2, 1, 1",
        "2, 20, 16, 2, 2, 1, 1",
        "2, 24, 24, 2, 1, 1, 1",
        "2, 40, 8, 3, 2, 1, 1",
        "2, 80, 16, 3, 3, 1, 1",
        "2, 40, 20, 3, 1, 2, 1",
        "2, 16, 6, 5, 1, 1, 1",
        "2, 32, 48, 3, 1, 1, 1",
        "1, 20, 20, 3, 1, 1, 1",
        "3, 20, 20, 2, 1, 1, 1",
        "2, 20, 20, 1, 1, 1, 1",
        "2, 20, 20, 3, 1, 1, 20",
        "2, 24, 12, 3, 1, 1, 4"
    })
    void valuesAndGradientsAreThoseInDoublePrecision(
            int rank, int inputs, int outputs, int kernel, int stride, int dilation, int groups) {
        Form form = new Form(rank, inputs, outputs, kernel, stride, dilation, groups);
        List<double[]> exact = convolve(form, DataType.FLOAT64, ConvolutionOperators::convolve);

        assertClose(convolve(form, DataType.FLOAT32, ConvolutionOperators::convolve), exact);
        if (groups == 1) {
            assertClose(convolve(form, DataType.FLOAT32, WholeBlocksTest::inWholeBlocks), exact);
        }
    }

    private static NDArray inWholeBlocks(
            NDArray x, NDArray weight, NDArray bias, long[] strides, long[] pads, long[] dilations, int groups) {
        return WholeBlocks.convolve(
                x,
                weight,
                bias,
                strides,
                (a, b, c) -> ConvolutionOperators.nativeConvolve(a, b, c, strides, pads, dilations, groups));
    }

    private static void assertClose(List<double[]> actual, List<double[]> exact) {
        for (int i = 0; i < exact.size(); i++) {
            assertThat(difference(actual.get(i), exact.get(i)))
                    .as("of output, gradients of input, kernel, bias: %d", i)
                    .isLessThan(1e-5);
        }
    }

    /** The largest of the differences, over the largest expected value; not a number as infinity. */
    private static double difference(double[] actual, double[] expected) {
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            double distance = Math.abs(actual[i] - expected[i]);
            difference = Math.max(difference, Double.isNaN(distance) ? Double.POSITIVE_INFINITY : distance);
        }
        return difference / largest;
    }

    /** Output, gradient of the input, of the kernel and of the bias. */
    private static List<double[]> convolve(Form form, DataType type, Convolution convolution) {
        Random random = new Random(1);
        int rank = form.rank();
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            NDArray x = Autograd.leaf(random(scope, random, type, shape(rank, SAMPLES, form.inputs(), SIDE)));
            Shape kernel = shape(rank, form.outputs(), form.inputs() / form.groups(), form.kernel());
            NDArray weight = Autograd.leaf(random(scope, random, type, kernel));
            NDArray bias = Autograd.leaf(random(scope, random, type, new Shape(form.outputs())));
            try (Autograd.Recording recording = Autograd.record()) {
                NDArray y = convolution.apply(
                        x,
                        weight,
                        bias,
                        Window.filled(rank, form.stride()),
                        new long[rank],
                        Window.filled(rank, form.dilation()),
                        form.groups());
                NDArray gradient = random(scope, random, type, y.getShape());
                List<NDArray> all = new ArrayList<>(List.of(y));
                all.addAll(Autograd.gradients(List.of(y), List.of(gradient), List.of(x, weight, bias), false));
                return all.stream()
                        .map(array -> array.toType(DataType.FLOAT64, true).toDoubleArray())
                        .toList();
            }
        }
    }

    private static Shape shape(int rank, int first, int second, int side) {
        long[] shape = Window.filled(rank + 2, side);
        shape[0] = first;
        shape[1] = second;
        return new Shape(shape);
    }

    private static NDArray random(NDManager scope, Random random, DataType type, Shape shape) {
        float[] values = new float[(int) shape.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return scope.create(values, shape).toType(type, true);
    }

    @Test
    void nothingIsLeftInTheScopeOfTheKernel() {
        try (NDManager model = Engines.newScope(Device.cpu())) {
            NDArray weight = model.ones(new Shape(20, 20, 3, 3));
            NDArray bias = model.ones(new Shape(20));
            int before = model.getManagedArrays().size();
            try (NDManager scope = Engines.newScope(Device.cpu())) {
                NDArray x = scope.ones(new Shape(1, 20, 4, 4));

                inWholeBlocks(x, weight, bias, new long[] {1, 1}, new long[2], new long[] {1, 1}, 1);
            }

            assertThat(model.getManagedArrays()).hasSize(before);
        }
    }

    @Test
    void whatIsWholeOrGoesAnotherWayStaysAsItIs() {
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            assertThat(areMissing(scope, 32, 16, 3, 1)).isFalse();
            assertThat(areMissing(scope, 8, 16, 3, 1)).isFalse();
            assertThat(areMissing(scope, 20, 20, 1, 1)).isFalse();
            assertThat(areMissing(scope, 48, 16, 3, 1)).isFalse();
            assertThat(areMissing(scope, 20, 16, 3, 1)).isTrue();
            assertThat(areMissing(scope, 32, 20, 3, 1)).isTrue();
            assertThat(areMissing(scope, 48, 16, 3, 2)).isTrue();

            NDArray exact = scope.zeros(new Shape(1, 20, 4, 4), DataType.FLOAT64);
            assertThat(WholeBlocks.areMissing(exact, scope.zeros(new Shape(20, 20, 3, 3)), new long[] {1, 1}, 1))
                    .isFalse();
        }
    }

    private static boolean areMissing(NDManager scope, int inputs, int outputs, int kernel, int stride) {
        return WholeBlocks.areMissing(
                scope.zeros(new Shape(1, inputs, 4, 4)),
                scope.zeros(new Shape(outputs, inputs, kernel, kernel)),
                new long[] {stride, stride},
                1);
    }
}
