package dev.gptq.hessian;

import ai.djl.ndarray.NDArray;
import dev.gptq.GptqException;
import dev.gptq.graph.ComparePoint;
import java.util.Arrays;
import java.util.List;

/** Adds up the squared gradients of kernels element by element. */
final class ElementSums implements GradientSums {
    private final List<NDArray> kernels;
    private final double[][] sums;

    ElementSums(List<NDArray> kernels) {
        this.kernels = kernels;
        this.sums = new double[kernels.size()][];
        for (int point = 0; point < kernels.size(); point++) {
            sums[point] = new double[(int) kernels.get(point).size()];
        }
    }

    @Override
    public List<NDArray> inputs() {
        return kernels;
    }

    @Override
    public void add(List<NDArray> gradients) {
        for (int point = 0; point < sums.length; point++) {
            float[] values = gradients.get(point).toFloatArray();
            double[] sum = sums[point];
            for (int i = 0; i < sum.length; i++) {
                sum[i] += (double) values[i] * values[i];
            }
        }
    }

    @Override
    public double[] meanByPoint(int passes) {
        return Arrays.stream(sums)
                .mapToDouble(sum -> Arrays.stream(sum).sum() / sum.length / passes)
                .toArray();
    }

    /** The sums divided by {@code divisor}: [compare point][element]. */
    float[][] finish(int divisor, List<ComparePoint> points, long sample) {
        float[][] means = new float[sums.length][];
        for (int point = 0; point < sums.length; point++) {
            means[point] = new float[sums[point].length];
            for (int i = 0; i < means[point].length; i++) {
                means[point][i] = (float) (sums[point][i] / divisor);
                if (!Float.isFinite(means[point][i])) {
                    throw GptqException.badInput(
                            "Cannot score the kernel of layer %s: its squared gradient for sample %d is %s. "
                                    + "Repair or remove that sample.",
                            points.get(point).name(), sample, means[point][i]);
                }
            }
        }
        return means;
    }
}
