package dev.gptq.calibrate;

import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.Arrays;

/**
 * The mean error that rounding a kernel adds to a layer's output (MCT, compute_bias_correction_of_graph): epsilon . E[x] with
 * epsilon = sum of Q(W) - W over the kernel's positions, within each group. To be subtracted from the bias. In a transposed
 * convolution each output sees one position in stride_h * stride_w, so epsilon is divided by that (MCT does not). The matrices
 * of a kernel of more than two dimensions share a bias, which gets the mean of their terms.
 */
final class BiasCorrection {
    private BiasCorrection() {}

    /**
     * The term of each output channel.
     *
     * @param node the layer's operator
     * @param kernel its float kernel
     * @param quantized the kernel's values after rounding, row-major
     * @param inputMean mean of each input channel
     */
    static double[] of(Node node, TensorData kernel, float[] quantized, double[] inputMean) {
        float[] weights = kernel.floats();
        long[] shape = kernel.shape();
        return switch (node.opType()) {
            case "Conv" -> {
                int outputs = (int) shape[0];
                int outputsPerGroup = outputs / (int) node.integer("group", 1);
                int inputsPerGroup = (int) shape[1];
                Sum sum = new Sum(weights, quantized, spatialSize(shape));
                double[] term = new double[outputs];
                for (int output = 0; output < outputs; output++) {
                    int firstInput = output / outputsPerGroup * inputsPerGroup;
                    for (int input = 0; input < inputsPerGroup; input++) {
                        term[output] += sum.error(output * inputsPerGroup + input) * inputMean[firstInput + input];
                    }
                }
                yield term;
            }
            case "ConvTranspose" -> {
                int inputs = (int) shape[0];
                int outputsPerGroup = (int) shape[1];
                int groups = (int) node.integer("group", 1);
                int inputsPerGroup = inputs / groups;
                double positions = 1;
                for (long stride : node.integers("strides", new long[0])) {
                    positions *= stride;
                }
                Sum sum = new Sum(weights, quantized, spatialSize(shape));
                double[] term = new double[outputsPerGroup * groups];
                for (int input = 0; input < inputs; input++) {
                    int firstOutput = input / inputsPerGroup * outputsPerGroup;
                    for (int output = 0; output < outputsPerGroup; output++) {
                        term[firstOutput + output] +=
                                sum.error(input * outputsPerGroup + output) * inputMean[input] / positions;
                    }
                }
                yield term;
            }
            case "Gemm" -> linear(weights, quantized, shape, node.integer("transB", 0) != 0, inputMean);
            case "MatMul" -> matrices(weights, quantized, shape, inputMean);
            default -> throw new IllegalArgumentException("No layer has operator " + node.opType());
        };
    }

    /** The term of each output channel of a convolution or linear layer when every input element is {@code value}. */
    static double[] ofConstant(Node node, TensorData kernel, float[] quantized, double value) {
        long[] shape = kernel.shape();
        boolean firstAxis = node.is("Gemm") && node.integer("transB", 0) == 0;
        int inputAxis = node.is("MatMul") ? shape.length - 2 : firstAxis ? 0 : 1;
        double[] input = new double[(int) (shape[inputAxis] * node.integer("group", 1))];
        Arrays.fill(input, value);
        return of(node, kernel, quantized, input);
    }

    private static double[] matrices(float[] weights, float[] quantized, long[] shape, double[] inputMean) {
        long[] matrix = Arrays.copyOfRange(shape, shape.length - 2, shape.length);
        int size = (int) (matrix[0] * matrix[1]);
        int count = weights.length / size;
        double[] mean = new double[(int) matrix[1]];
        for (int first = 0; first < weights.length; first += size) {
            double[] term = linear(
                    Arrays.copyOfRange(weights, first, first + size),
                    Arrays.copyOfRange(quantized, first, first + size),
                    matrix,
                    false,
                    inputMean);
            for (int output = 0; output < mean.length; output++) {
                mean[output] += term[output] / count;
            }
        }
        return mean;
    }

    private static double[] linear(
            float[] weights, float[] quantized, long[] shape, boolean transposed, double[] inputMean) {
        int inputs = (int) shape[transposed ? 1 : 0];
        int outputs = (int) shape[transposed ? 0 : 1];
        Sum sum = new Sum(weights, quantized, 1);
        double[] term = new double[outputs];
        for (int output = 0; output < outputs; output++) {
            for (int input = 0; input < inputs; input++) {
                int index = transposed ? output * inputs + input : input * outputs + output;
                term[output] += sum.error(index) * inputMean[input];
            }
        }
        return term;
    }

    private static int spatialSize(long[] shape) {
        int size = 1;
        for (int axis = 2; axis < shape.length; axis++) {
            size *= (int) shape[axis];
        }
        return size;
    }

    /** Sums of Q(W) - W over {@code spatial} consecutive elements. */
    private record Sum(float[] weights, float[] quantized, int spatial) {
        double error(int plane) {
            double sum = 0;
            for (int i = plane * spatial; i < (plane + 1) * spatial; i++) {
                sum += (double) quantized[i] - weights[i];
            }
            return sum;
        }
    }
}
