package dev.gptq.graph.pass;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.OutputMoments;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Scales layer -> Clip to [0, M] -> layer so that M becomes the next power of two P, the range of a power-of-two grid (MCT:
 * relu_bound_to_power_of_2): with s = M / P, kernel and bias before are divided by s, the bound too, and the kernel
 * behind is multiplied by s. MCT's P is always 8; grids of powers of two do not see the difference. Only where nothing else
 * reads the two tensors between the layers. Expects kernels and biases that are not shared.
 */
final class ReluBoundToPowerOfTwo {
    private static final int MAXIMUM = 2;

    private ReluBoundToPowerOfTwo() {}

    static Graph apply(Graph graph) {
        Map<String, List<Node>> consumers = graph.consumers();
        Map<String, Node> producers = graph.producers();
        Map<String, ComparePoint> layersByWeight = new LinkedHashMap<>();
        ComparePoints.of(graph).forEach(point -> layersByWeight.put(point.weight(), point));
        Map<String, TensorData> constants = new LinkedHashMap<>(graph.constants());
        Names names = Names.ofTensors(graph);
        Map<Node, Node> replaced = new HashMap<>();
        Map<String, OutputMoments> moments = new HashMap<>(graph.moments());
        for (ComparePoint before : layersByWeight.values()) {
            Node clip = Layers.onlyReader(graph, consumers, before.output());
            float bound = clip == null ? 0 : upperBound(graph, clip);
            Node reader = bound > 0 ? Layers.onlyReader(graph, consumers, clip.output()) : null;
            ComparePoint behind = reader == null ? null : layersByWeight.get(reader.input(1));
            if (behind == null
                    || !reader.input(0).equals(clip.output())
                    || hasOtherBias(producers.get(before.output()), before)) {
                continue;
            }
            float power = nextPowerOfTwo(bound);
            if (power == bound) {
                continue;
            }
            double scale = bound / (double) power;
            constants.put(before.weight(), times(constants.get(before.weight()), 1 / scale));
            if (before.bias() != null) {
                constants.put(before.bias(), times(constants.get(before.bias()), 1 / scale));
            }
            moments.computeIfPresent(before.output(), (tensor, known) -> known.times(1 / scale));
            constants.put(behind.weight(), times(constants.get(behind.weight()), scale));
            List<String> inputs = new ArrayList<>(clip.inputs());
            inputs.set(MAXIMUM, names.fresh(clip.name() + ".max"));
            constants.put(inputs.get(MAXIMUM), TensorData.ofFloats(new float[] {power}));
            replaced.put(clip, clip.withInputs(inputs));
        }
        List<Node> nodes = graph.nodes().stream()
                .map(node -> replaced.getOrDefault(node, node))
                .toList();
        return graph.withConstants(constants).withNodes(nodes).withMoments(moments);
    }

    /** The upper bound of a Clip whose lower bound is 0, when both are constant; else 0. */
    private static float upperBound(Graph graph, Node clip) {
        if (!clip.is("Clip")) {
            return 0;
        }
        TensorData minimum = graph.constants().get(clip.input(1));
        TensorData maximum = graph.constants().get(clip.input(MAXIMUM));
        boolean relu = isFloat(minimum) && isFloat(maximum) && minimum.floats()[0] == 0;
        float bound = relu ? maximum.floats()[0] : 0;
        // The whole float range stands for no bound.
        return bound >= Float.MIN_NORMAL && bound < Float.MAX_VALUE / 2 ? bound : 0;
    }

    private static boolean isFloat(TensorData tensor) {
        return tensor != null && tensor.type() == ElementType.FLOAT32;
    }

    /** Whether the layer adds a bias that is no constant. */
    private static boolean hasOtherBias(Node node, ComparePoint layer) {
        return Layers.takesBias(node) && node.hasInput(2) && layer.bias() == null;
    }

    private static float nextPowerOfTwo(float value) {
        float power = Math.scalb(1f, Math.getExponent(value));
        return power == value ? power : 2 * power;
    }

    private static TensorData times(TensorData tensor, double factor) {
        float[] values = tensor.floats().clone();
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (values[i] * factor);
        }
        return TensorData.ofFloats(values, tensor.shape());
    }
}
