package dev.gptq.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.gptq.GptqException;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.testing.Npz;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

class DistillationLossTest {
    private static final Npz ORACLE = Npz.resource("/oracle/losses.npz");
    private static final int LAYERS = 3;
    private static final int SAMPLES = 5;

    @Test
    void theMeanSquaredErrorEqualsMcts() {
        DistillationLoss loss = DistillationLosses.of(GradientPTQConfig.MULTIPLE_TENSORS_MSE);
        check(loss, context(new float[] {1, 1, 1}, null, 1), "mse");
        check(loss, context(ORACLE.floats("loss_weights"), null, 1), "mse_w");
    }

    @Test
    void sampleLayerAttentionEqualsMcts() {
        DistillationLoss loss = DistillationLosses.of(GradientPTQConfig.SAMPLE_LAYER_ATTENTION);
        float[][] weights = sampleWeights();
        check(loss, context(null, weights, denominator(weights)), "sla");
    }

    @Test
    void lanesOfAStepAddUpToTheWholeStep() {
        DistillationLoss attention = DistillationLosses.of(GradientPTQConfig.SAMPLE_LAYER_ATTENTION);
        float[][] weights = sampleWeights();
        double denominator = denominator(weights);
        double sum = lane(attention, weights, 0, 2, denominator) + lane(attention, weights, 2, 5, denominator);
        assertThat(sum).isCloseTo(ORACLE.scalar("sla"), Percentage.withPercentage(1e-3));
        DistillationLoss squares = DistillationLosses.of(GradientPTQConfig.MULTIPLE_TENSORS_MSE);
        double whole = lane(squares, weights, 0, 2, 1) + lane(squares, weights, 2, 5, 1);
        assertThat(whole).isCloseTo(ORACLE.scalar("mse"), Percentage.withPercentage(1e-3));
    }

    /** Layer weights of shape [L, 1], which MCT makes of log_norm = false, turn its loss into mean(w) * mean(loss). */
    @Test
    void eachLayerKeepsItsOwnWeightOtherThanInMctWithoutLogNorm() {
        float[] weights = ORACLE.floats("loss_weights");
        double[] each = ORACLE.doubles("mse_each");
        double ours = 0;
        double meanWeight = 0;
        double meanLoss = 0;
        for (int l = 0; l < LAYERS; l++) {
            ours += weights[l] * each[l] / LAYERS;
            meanWeight += weights[l] / LAYERS;
            meanLoss += each[l] / LAYERS;
        }
        check(DistillationLosses.of(GradientPTQConfig.MULTIPLE_TENSORS_MSE), context(weights, null, 1), "mse_w");
        assertThat(ours).isCloseTo(ORACLE.scalar("mse_w"), Percentage.withPercentage(1e-3));
        assertThat(Math.abs(meanWeight * meanLoss / ours - 1)).isGreaterThan(0.01);
    }

    /** MCT divides each of its batches by that batch's own largest mean weight: split in two it answers otherwise. */
    @Test
    void theAttentionDenominatorIsTheWholeStepsOtherThanMctsOfEachBatch() {
        float[][] weights = sampleWeights();
        double whole = denominator(weights);
        double first = denominator(Arrays.copyOfRange(weights, 0, 2));
        double second = denominator(Arrays.copyOfRange(weights, 2, 5));
        DistillationLoss loss = DistillationLosses.of(GradientPTQConfig.SAMPLE_LAYER_ATTENTION);
        double ofEach = lane(loss, weights, 0, 2, first) + lane(loss, weights, 2, 5, second);
        double ofStep = lane(loss, weights, 0, 2, whole) + lane(loss, weights, 2, 5, whole);
        assertThat(ofStep).isCloseTo(ORACLE.scalar("sla"), Percentage.withPercentage(1e-3));
        assertThat(Math.abs(ofEach / ofStep - 1)).isGreaterThan(0.01);
    }

    @Test
    void aLayerWithoutSignalIsLeftOut() {
        DistillationLoss loss = DistillationLosses.of(GradientPTQConfig.MULTIPLE_TENSORS_MSE);
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            NDArray signal = scope.ones(new Shape(2, 3));
            NDArray silent = scope.zeros(new Shape(2, 3));
            float value = loss.share(
                            List.of(signal.mul(2), signal),
                            List.of(signal, silent),
                            new DistillationLoss.Context(new float[] {1, 1}, null, 1, new double[] {6, 0}, 2, 2))
                    .getFloat();
            assertThat(value).isCloseTo(0.5f, within(1e-6f));
        }
    }

    @Test
    void aUserClassIsLoadedByName() {
        assertThat(DistillationLosses.of(UserLoss.class.getName())).isInstanceOf(UserLoss.class);
        assertThatThrownBy(() -> DistillationLosses.of("com.example.Missing"))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("com.example.Missing")
                .hasMessageContaining("class path");
        assertThatThrownBy(() -> DistillationLosses.of(String.class.getName()))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("does not implement");
    }

    @Test
    void aUserLossIsDifferentiatedAutomaticallyAndLeavesTheStudentsHistoryAlone() {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray parameter = Autograd.leaf(scope.create(new float[] {1, 2}));
            NDArray output = parameter.mul(parameter);
            NDArray teacher = scope.create(new float[] {0.5f, 7});
            OutputGradients known =
                    new UserLoss().differentiate(List.of(output), List.of(teacher), context(null, null, 1));
            assertThat(known.share()).isEqualTo(1 + 4 - 0.5 - 7);
            assertThat(known.gradients().get(0).toFloatArray()).containsExactly(1, 1);
            assertThat(Autograd.gradients(List.of(output), known.gradients(), List.of(parameter), false)
                            .get(0)
                            .toFloatArray())
                    .containsExactly(2, 4);
        }
    }

    private static void check(DistillationLoss loss, DistillationLoss.Context context, String name) {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            List<NDArray> student = new ArrayList<>();
            List<NDArray> teacher = new ArrayList<>();
            for (int l = 0; l < LAYERS; l++) {
                student.add(Autograd.leaf(array(scope, "y" + l)));
                teacher.add(array(scope, "x" + l));
            }
            NDArray share = loss.share(student, teacher, context);
            Autograd.backward(share, null, false);
            assertThat((double) share.getFloat()).isCloseTo(ORACLE.scalar(name), Percentage.withPercentage(1e-3));
            OutputGradients known = loss.differentiate(student, teacher, context);
            assertThat(known.share()).isCloseTo(ORACLE.scalar(name), Percentage.withPercentage(1e-3));
            for (int l = 0; l < LAYERS; l++) {
                float[] expected = ORACLE.floats(name + "_dy" + l);
                assertGradient(Autograd.gradient(student.get(l)).toFloatArray(), expected);
                assertGradient(known.gradients().get(l).toFloatArray(), expected);
            }
        }
    }

    private static void assertGradient(float[] gradient, float[] expected) {
        assertThat(gradient).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat(gradient[i]).isCloseTo(expected[i], within(1e-7f + 1e-5f * Math.abs(expected[i])));
        }
    }

    /** The share of samples [from, to). */
    private static double lane(DistillationLoss loss, float[][] weights, int from, int to, double denominator) {
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            List<NDArray> student = new ArrayList<>();
            List<NDArray> teacher = new ArrayList<>();
            for (int l = 0; l < LAYERS; l++) {
                student.add(array(scope, "y" + l).get(from + ":" + to));
                teacher.add(array(scope, "x" + l).get(from + ":" + to));
            }
            float[][] rows = Arrays.copyOfRange(weights, from, to);
            return loss.share(
                            student,
                            teacher,
                            new DistillationLoss.Context(
                                    new float[] {1, 1, 1}, rows, denominator, energies(), rows.length, SAMPLES))
                    .getFloat();
        }
    }

    private static NDArray array(NDManager scope, String key) {
        return scope.create(ORACLE.floats(key), new Shape(ORACLE.shape(key)));
    }

    private static DistillationLoss.Context context(float[] layers, float[][] samples, double denominator) {
        return new DistillationLoss.Context(layers, samples, denominator, energies(), SAMPLES, SAMPLES);
    }

    /** By layer, the sum of squares of the teacher's outputs. */
    private static double[] energies() {
        double[] energies = new double[LAYERS];
        for (int l = 0; l < LAYERS; l++) {
            for (float value : ORACLE.floats("x" + l)) {
                energies[l] += (double) value * value;
            }
        }
        return energies;
    }

    private static float[][] sampleWeights() {
        float[] flat = ORACLE.floats("sla_weights");
        float[][] weights = new float[SAMPLES][];
        for (int b = 0; b < SAMPLES; b++) {
            weights[b] = Arrays.copyOfRange(flat, b * LAYERS, (b + 1) * LAYERS);
        }
        return weights;
    }

    /** max over layers of the mean over samples. */
    private static double denominator(float[][] weights) {
        double largest = 0;
        for (int l = 0; l < LAYERS; l++) {
            double sum = 0;
            for (float[] row : weights) {
                sum += row[l];
            }
            largest = Math.max(largest, sum / weights.length);
        }
        return largest;
    }

    /** A loss as a user would write it. */
    public static final class UserLoss implements DistillationLoss {
        @Override
        public NDArray share(List<NDArray> student, List<NDArray> teacher, Context context) {
            return student.get(0).sub(teacher.get(0)).flatten().sum();
        }
    }
}
