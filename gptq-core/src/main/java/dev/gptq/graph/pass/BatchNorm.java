package dev.gptq.graph.pass;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.OutputMoments;
import dev.gptq.graph.TensorData;
import java.util.Arrays;

/**
 * An inference-time BatchNormalization as y = x * factor + offset per channel: factor = gamma / sqrt(variance + epsilon),
 * offset = beta - mean * factor. In double, to be rounded once at the end.
 */
record BatchNorm(double[] gamma, double[] factor, double[] mean, double[] beta) {
    private static final float DEFAULT_EPSILON = 1e-5f;
    private static final int PARAMETERS = 5;

    /** The normalization a node does, or null when the node is none with constant parameters. */
    static BatchNorm of(Graph graph, Node node) {
        if (!node.is("BatchNormalization")) {
            return null;
        }
        for (int i = 1; i < PARAMETERS; i++) {
            TensorData parameter = graph.constants().get(node.input(i));
            if (parameter == null || !parameter.type().isFloating()) {
                return null;
            }
        }
        double epsilon = node.real("epsilon", DEFAULT_EPSILON);
        double[] gamma = values(graph, node, 1);
        double[] variance = values(graph, node, 4);
        double[] factor = new double[gamma.length];
        for (int i = 0; i < factor.length; i++) {
            factor[i] = gamma[i] / Math.sqrt(variance[i] + epsilon);
        }
        return new BatchNorm(gamma, factor, values(graph, node, 3), values(graph, node, 2));
    }

    int channels() {
        return factor.length;
    }

    /** Mean and standard deviation of the output over the data it was trained on. */
    OutputMoments moments() {
        return new OutputMoments(beta, Arrays.stream(gamma).map(Math::abs).toArray());
    }

    double offset(int channel) {
        return beta[channel] - mean[channel] * factor[channel];
    }

    private static double[] values(Graph graph, Node node, int input) {
        TensorData tensor = graph.constants().get(node.input(input));
        double[] values = new double[tensor.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.type() == ElementType.FLOAT64 ? tensor.doubles()[i] : tensor.floats()[i];
        }
        return values;
    }
}
