package dev.gptq.mixedprecision;

import ai.djl.ndarray.NDArray;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Counts the multiplications of kernels and the values of activations, from the shapes that a run of the model shows. */
final class LayerCosts {
    /** Multiplications of a kernel per element of some tensor. */
    private record Rate(int kernel, long perElement) {}

    private final Map<String, List<Rate>> rates = new HashMap<>();
    private final Map<String, Integer> activationByTensor = new HashMap<>();
    private final int kernels;
    private final int activations;

    LayerCosts(Graph graph, BitChoices choices) {
        Map<String, Node> layers = new HashMap<>();
        graph.nodes().forEach(node -> node.inputs().forEach(input -> layers.put(input, node)));
        this.kernels = choices.kernels().size();
        for (int kernel = 0; kernel < kernels; kernel++) {
            ComparePoint point = choices.kernels().get(kernel).point();
            TensorData weight = graph.constants().get(point.weight());
            Node layer = layers.get(point.weight());
            if (layer.is("Gather")) {
                // Rows are looked up.
                continue;
            }
            // Each output element sums over the kernel of its channel, in one of its matrices; each input element of a
            // transposed convolution is multiplied with the kernel of its.
            boolean transposed = layer.is("ConvTranspose");
            String tensor = transposed ? layer.input(0) : point.output();
            long channels = weight.shape()[transposed ? 0 : point.channelAxis()];
            long perElement = layer.is("MatMul") ? weight.shape()[weight.rank() - 2] : weight.size() / channels;
            rates.computeIfAbsent(tensor, name -> new ArrayList<>()).add(new Rate(kernel, perElement));
        }
        this.activations = choices.activations().size();
        for (int activation = 0; activation < activations; activation++) {
            for (String tensor : choices.activations().get(activation).tensors()) {
                activationByTensor.put(tensor, activation);
            }
        }
    }

    /** The counts of one run. */
    Counts counts() {
        return new Counts(new long[kernels], new long[activations]);
    }

    /** Multiplications by kernel, values by activation. */
    final class Counts {
        final long[] multiplications;
        final long[] values;

        private Counts(long[] multiplications, long[] values) {
            this.multiplications = multiplications;
            this.values = values;
        }

        void add(String tensor, NDArray value) {
            for (Rate rate : rates.getOrDefault(tensor, List.of())) {
                multiplications[rate.kernel] += rate.perElement * value.size();
            }
            Integer activation = activationByTensor.get(tensor);
            if (activation != null) {
                values[activation] += value.size();
            }
        }
    }
}
