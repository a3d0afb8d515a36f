package dev.gptq.compensate;

import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

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

    private ErrorCompensation() {}

    /**
     * What training rounds in place of a group's kernels, by the names of their constants. Rounded to nearest they are the
     * compensated kernels. What the plan corrects rounding to nearest by, they do without.
     *
     * @param graph the one that the plan is for
     * @param moments of the rows that the group reads, see {@link InputMoments}
     * @param damping share of their mean that is added to the diagonal
     */
    public static Map<String, TensorData> starts(
            Graph graph, QuantizationPlan plan, KernelGroup group, float[] moments, double damping) {
        Map<String, WeightQuantizer> quantizers = plan.weights().stream()
                .collect(Collectors.toMap(quantizer -> quantizer.point().weight(), Function.identity()));
        List<Start> starts = group.kernels().stream()
                .map(kernel -> new Start(
                        kernel,
                        quantizers.get(kernel.name()).withoutCorrections().grid(),
                        graph.constants().get(kernel.name()).floats().clone()))
                .toList();
        int depth = group.first().depth();
        for (int matrix = 0; matrix < group.first().groups(); matrix++) {
            RoundingOrder order = RoundingOrder.of(moments, matrix * depth * depth, depth, damping);
            for (Start start : order == null ? List.<Start>of() : starts) {
                compensate(start.matrix(), matrix, start.grid(), order, start.kernel());
            }
        }
        Map<String, TensorData> byName = new LinkedHashMap<>();
        for (Start start : starts) {
            String name = start.matrix().name();
            long[] shape = graph.constants().get(name).shape();
            byName.put(name, TensorData.ofFloats(start.kernel(), shape));
        }
        return byName;
    }

    /** A kernel on its way from float values to those that training starts from. */
    private record Start(KernelMatrix matrix, QuantizationGrid grid, float[] kernel) {}

    private static void compensate(
            KernelMatrix matrix, int group, QuantizationGrid grid, RoundingOrder order, float[] kernel) {
        int outputs = matrix.outputs();
        float[][] errors = new float[matrix.depth()][outputs];
        float[] moved = new float[outputs];
        for (int k = 0; k < errors.length; k++) {
            int input = order.inputs()[k];
            for (int output = 0; output < outputs; output++) {
                moved[output] = kernel[matrix.position(group, input, output)];
            }
            for (int i = 0; i < k; i++) {
                subtract(moved, errors[i], (float) order.factor()[k][i]);
            }
            for (int output = 0; output < outputs; output++) {
                int position = matrix.position(group, input, output);
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
}
