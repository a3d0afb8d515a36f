package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.Map;

/** Normalizations over parts of one sample. */
final class NormalizationOperators {
    private static final float EPSILON = 1e-5f;
    private static final int CHANNEL_AXIS = 1;
    private static final float LRN_ALPHA = 1e-4f;
    private static final float LRN_BETA = 0.75f;

    private NormalizationOperators() {}

    static void addTo(Map<String, Operator> table) {
        table.put("InstanceNormalization", NormalizationOperators::instance);
        table.put("GroupNormalization", NormalizationOperators::group);
        table.put("LayerNormalization", NormalizationOperators::layer);
        table.put("RMSNormalization", NormalizationOperators::rootMeanSquare);
        table.put("LRN", NormalizationOperators::localResponse);
    }

    private static NDArray instance(Call call) {
        long[] shape = call.shape(0);
        NDArray normal = normalizeRows(call, shape[0] * shape[1]);
        long[] perChannel = channelShape(shape.length, shape[1]);
        return normal.mul(Call.reshape(call.input(1), perChannel)).add(Call.reshape(call.input(2), perChannel));
    }

    private static NDArray group(Call call) {
        long[] shape = call.shape(0);
        long groups = call.node().integer("num_groups", 1);
        NDArray normal = normalizeRows(call, shape[0] * groups);
        NDArray scale = call.input(1);
        NDArray bias = call.input(2);
        if (scale.size() == shape[CHANNEL_AXIS]) {
            long[] perChannel = channelShape(shape.length, shape[CHANNEL_AXIS]);
            return normal.mul(Call.reshape(scale, perChannel)).add(Call.reshape(bias, perChannel));
        }
        // Opsets 18 to 20 scale groups.
        NDArray grouped = Call.reshape(normal, shape[0], groups, -1);
        NDArray scaled = grouped.mul(Call.reshape(scale, 1, groups, 1)).add(Call.reshape(bias, 1, groups, 1));
        return Call.reshape(scaled, shape);
    }

    /** (x - mean) / sqrt(variance + epsilon) over equal parts of the data, in the data's shape. */
    private static NDArray normalizeRows(Call call, long rows) {
        NDArray flat = Call.reshape(call.x(), rows, -1);
        NDArray centered = flat.sub(flat.mean(new int[] {1}, true));
        NDArray variance = centered.mul(centered).mean(new int[] {1}, true);
        NDArray normal =
                centered.div(variance.add(call.node().real("epsilon", EPSILON)).sqrt());
        return Call.reshape(normal, call.shape(0));
    }

    private static long[] channelShape(int rank, long channels) {
        long[] shape = Window.filled(rank, 1);
        shape[CHANNEL_AXIS] = channels;
        return shape;
    }

    private static NDArray layer(Call call) {
        long[] shape = call.shape(0);
        int axis = call.axis("axis", -1, shape.length);
        Shape normalized = new Shape(Arrays.copyOfRange(shape, axis, shape.length));
        NDArray scale = call.input(1).broadcast(normalized);
        NDArray bias = call.has(2)
                ? call.input(2).broadcast(normalized)
                : call.manager().zeros(normalized, call.x().getDataType());
        float epsilon = call.node().real("epsilon", EPSILON);
        return call.functions()
                .layerNorm(call.x(), normalized, scale, bias, epsilon)
                .get(0);
    }

    private static NDArray rootMeanSquare(Call call) {
        long[] shape = call.shape(0);
        int axis = call.axis("axis", -1, shape.length);
        long[] kept = shape.clone();
        Arrays.fill(kept, axis, shape.length, 1);
        NDArray flat = Call.reshape(call.x(), Arrays.stream(kept).reduce(1, (a, b) -> a * b), -1);
        NDArray squares = flat.mul(flat).mean(new int[] {1}, true);
        NDArray root = squares.add(call.node().real("epsilon", EPSILON)).sqrt();
        return Call.reshape(flat.div(root), shape).mul(call.input(1));
    }

    /** x / (bias + alpha / size * sum of squares over size neighbouring channels) ^ beta. */
    private static NDArray localResponse(Call call) {
        int size = (int) call.node().integer("size", 1);
        long channels = call.shape(0)[CHANNEL_AXIS];
        int rank = call.shape(0).length;
        long[] before = new long[rank - CHANNEL_AXIS];
        long[] after = new long[rank - CHANNEL_AXIS];
        before[0] = (size - 1) / 2;
        after[0] = size / 2;
        NDArray squares = Window.pad(call.x().mul(call.x()), before, after, 0);
        NDArray sum = IndexOperators.slice(squares, CHANNEL_AXIS, 0, channels, 1);
        for (int i = 1; i < size; i++) {
            sum = sum.add(IndexOperators.slice(squares, CHANNEL_AXIS, i, i + channels, 1));
        }
        double alpha = call.node().real("alpha", LRN_ALPHA);
        NDArray base = call.times(sum, alpha / size).add(call.node().real("bias", 1));
        return call.x()
                .div(base.pow(Engines.scalar(call.manager(), base, call.node().real("beta", LRN_BETA))));
    }
}
