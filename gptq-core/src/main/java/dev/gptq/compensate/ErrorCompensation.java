package dev.gptq.compensate;

import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Rounds a kernel W so that outputs, not weights, stay close: minimizes trace(E^T H E) for E = rounded W - W and the second
 * moments H of the layer's input, weight by weight. Inputs are taken in the order of falling moments; each weight is rounded
 * to nearest after it has been moved by what the errors before it leave to make up for, w_k - sum_{i less than k} U_ik E_i with
 * H = U D U^T (OPTQ, Frantar et al. 2023, in the form LDLQ of QuIP, Chee et al. 2023).
 */
public final class ErrorCompensation {
    /**
     * How far from its grid point a weight starts, as a share of where it was before it was rounded. On the grid itself
     * training would find the rounding's gradient at its end, and elsewhere it would first have to find the rounding again.
     */
    private static final float SOFTNESS = 0.3f;

    /** Keeps a start from the half that rounds to the next grid point. */
    private static final float LARGEST_SHARE = 0.49f;

    /** Second moments of inputs of more than this take more than a gigabyte. */
    static final int LARGEST_DEPTH = 16384;

    private ErrorCompensation() {}

    /**
     * A kernel that can be compensated.
     *
     * @param name its constant
     * @param moments numbers in its second moments
     */
    public record Kernel(String name, long moments) {}

    /** The kernels of a plan that can be compensated, in plan order. The others are rounded to nearest. */
    public static List<Kernel> kernels(Graph graph, QuantizationPlan plan) {
        List<Kernel> kernels = new ArrayList<>();
        for (KernelMatrix kernel : KernelMatrix.of(graph, plan.weights())) {
            if (kernel.depth() <= LARGEST_DEPTH) {
                kernels.add(new Kernel(kernel.name(), kernel.momentCount()));
            }
        }
        return kernels;
    }

    /**
     * What training rounds in place of a kernel. Rounded to nearest it is the compensated kernel.
     *
     * @param kernel name of its constant in {@code graph}
     * @param moments of its input, see {@link InputMoments}
     * @param damping share of their mean that is added to the diagonal
     */
    public static TensorData start(Graph graph, QuantizationPlan plan, String kernel, float[] moments, double damping) {
        KernelMatrix matrix = KernelMatrix.of(graph, plan.weights()).stream()
                .filter(candidate -> candidate.name().equals(kernel))
                .findFirst()
                .orElseThrow();
        WeightQuantizer quantizer = matrix.quantizer();
        TensorData values = quantizer.start(graph.constants().get(kernel));
        float[] start = values.floats().clone();
        for (int group = 0; group < matrix.groups(); group++) {
            compensate(matrix, group, quantizer.grid(), moments, damping, start);
        }
        return TensorData.ofFloats(start, values.shape());
    }

    private static void compensate(
            KernelMatrix matrix, int group, QuantizationGrid grid, float[] moments, double damping, float[] kernel) {
        int depth = matrix.depth();
        int outputs = matrix.outputs();
        int begin = group * depth * depth;
        double added = damping * meanDiagonal(moments, begin, depth);
        if (!(added > 0)) {
            // Nothing but zeros reaches the kernel: any rounding is as good.
            return;
        }
        int[] order = byFallingMoment(moments, begin, depth);
        double[][] factor = reordered(moments, begin, order, added);
        UnitFactor.factorize(factor);
        float[][] errors = new float[depth][outputs];
        float[] moved = new float[outputs];
        for (int k = 0; k < depth; k++) {
            for (int output = 0; output < outputs; output++) {
                moved[output] = kernel[matrix.position(group, order[k], output)];
            }
            for (int i = 0; i < k; i++) {
                subtract(moved, errors[i], (float) factor[k][i]);
            }
            for (int output = 0; output < outputs; output++) {
                int position = matrix.position(group, order[k], output);
                int channel = grid.channelAxis() < 0 ? 0 : group * outputs + output;
                float step = grid.scale()[channel];
                float rounded = rounded(moved[output], step, grid, channel);
                errors[k][output] = rounded - kernel[position];
                float limit = LARGEST_SHARE * step;
                float rest = Math.max(-limit, Math.min(limit, moved[output] - rounded));
                kernel[position] = rounded + SOFTNESS * rest;
            }
        }
    }

    private static float rounded(float value, float step, QuantizationGrid grid, int channel) {
        int zeroPoint = grid.zeroPoint()[channel];
        long integer = (long) Math.rint(value / step) + zeroPoint;
        return step * (Math.max(grid.minimum(), Math.min(grid.maximum(), integer)) - zeroPoint);
    }

    private static void subtract(float[] moved, float[] errors, float factor) {
        for (int output = 0; output < moved.length; output++) {
            moved[output] -= factor * errors[output];
        }
    }

    private static double meanDiagonal(float[] moments, int begin, int depth) {
        double sum = 0;
        for (int i = 0; i < depth; i++) {
            sum += moments[begin + i * depth + i];
        }
        return sum / depth;
    }

    private static int[] byFallingMoment(float[] moments, int begin, int depth) {
        return IntStream.range(0, depth)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -moments[begin + i * depth + i]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** The lower triangle with the damping, in the order of rounding. */
    private static double[][] reordered(float[] moments, int begin, int[] order, double added) {
        double[][] rows = new double[order.length][];
        for (int k = 0; k < rows.length; k++) {
            rows[k] = new double[k + 1];
            for (int i = 0; i <= k; i++) {
                rows[k][i] = moments[begin + order[k] * order.length + order[i]];
            }
            rows[k][k] += added;
        }
        return rows;
    }
}
