package dev.gptq.engine;

import dev.gptq.graph.Node;

/**
 * Resizing along one axis, as ONNX defines Resize: where each output position lies in the input, and with which weights it
 * takes input elements. Positions are computed in float32 like ONNX Runtime's, so that ties fall the same way.
 */
final class ResizeAxis {
    private static final float CUBIC_COEFFICIENT = -0.75f;
    private static final int CUBIC_TAPS = 4;

    private final Node node;
    private final int size;
    private final int newSize;
    private final float scale;

    ResizeAxis(Node node, int size, int newSize, float scale) {
        this.node = node;
        this.size = size;
        this.newSize = newSize;
        this.scale = scale;
    }

    /** For each output position the input element that is nearest by the node's rounding. */
    long[] nearest() {
        String rounding = node.text("nearest_mode", "round_prefer_floor");
        long[] positions = new long[newSize];
        for (int i = 0; i < newSize; i++) {
            float at = position(i);
            double rounded =
                    switch (rounding) {
                        case "floor" -> Math.floor(at);
                        case "ceil" -> Math.ceil(at);
                        case "round_prefer_ceil" -> Math.floor(at + 0.5f);
                        default -> Math.ceil(at - 0.5f);
                    };
            positions[i] = clamp((long) rounded);
        }
        return positions;
    }

    /** Weights [output position, input element] of linear interpolation. */
    double[] linear() {
        double[] weights = new double[newSize * size];
        for (int i = 0; i < newSize; i++) {
            float at = Math.max(0, Math.min(size - 1, position(i)));
            int before = (int) at;
            weights[i * size + before] += 1 - (at - before);
            weights[i * size + (int) clamp(before + 1)] += at - before;
        }
        return weights;
    }

    /** Weights [output position, input element] of cubic convolution over four elements. */
    double[] cubic() {
        float a = node.real("cubic_coeff_a", CUBIC_COEFFICIENT);
        boolean excludeOutside = node.integer("exclude_outside", 0) != 0;
        double[] weights = new double[newSize * size];
        for (int i = 0; i < newSize; i++) {
            float at = position(i);
            int first = (int) Math.floor(at) - 1;
            double[] taps = new double[CUBIC_TAPS];
            double sum = 0;
            for (int j = 0; j < CUBIC_TAPS; j++) {
                boolean outside = first + j < 0 || first + j >= size;
                taps[j] = excludeOutside && outside ? 0 : cubic(Math.abs(at - (first + j)), a);
                sum += taps[j];
            }
            for (int j = 0; j < CUBIC_TAPS; j++) {
                weights[i * size + (int) clamp(first + j)] += excludeOutside ? taps[j] / sum : taps[j];
            }
        }
        return weights;
    }

    /** Keys' cubic convolution kernel at distance {@code d}. */
    private static double cubic(double d, double a) {
        if (d <= 1) {
            return ((a + 2) * d - (a + 3)) * d * d + 1;
        }
        return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
    }

    private float position(int output) {
        return switch (node.text("coordinate_transformation_mode", "half_pixel")) {
            case "asymmetric" -> output / scale;
            case "align_corners" -> newSize == 1 ? 0 : (float) output * (size - 1) / (newSize - 1);
            case "pytorch_half_pixel" -> newSize > 1 ? halfPixel(output) : 0;
            case "half_pixel_symmetric" -> {
                float adjustment = newSize / (scale * size);
                yield size / 2f * (1 - adjustment) + halfPixel(output);
            }
            case "tf_half_pixel_for_nn" -> (output + 0.5f) / scale;
            default -> halfPixel(output);
        };
    }

    private float halfPixel(int output) {
        return (output + 0.5f) / scale - 0.5f;
    }

    private long clamp(long position) {
        return Math.max(0, Math.min(size - 1, position));
    }
}
