package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A tensor that linear layers read on a grid, and nothing else does: what makes it ends in real numbers, as LayerNorm and GELU
 * do, so that a factor per channel can come between.
 *
 * @param quantized the tensor that has the quantizer, which may be one that Reshape and the like make {@code tensor} of
 * @param layers that multiply the tensor's last axis with their kernels
 */
record SmoothableInput(String tensor, String quantized, List<Reader> layers) implements Serializable {
    /** A layer and its operator. */
    record Reader(ComparePoint point, Node node) implements Serializable {
        /** The kernel's axis that the product sums over. */
        int inputAxis() {
            return node.is("Gemm") && node.integer("transB", 0) != 0 ? 1 : 0;
        }
    }

    /** Those of a prepared graph, in graph order; none for other targets than ONNX Runtime, which quantize every tensor. */
    static List<SmoothableInput> of(Graph prepared, QuantizationConfig config) {
        if (Fusing.of(config) != Fusing.ONNX_RUNTIME) {
            return List.of();
        }
        List<SmoothableInput> candidates = candidates(prepared);
        Map<String, float[]> ones = new LinkedHashMap<>();
        candidates.forEach(candidate -> ones.put(candidate.tensor(), candidate.ones(prepared)));
        SmoothedGraph smoothed = SmoothedGraph.of(prepared, ones);
        Set<String> before =
                ActivationTensors.namesByTensor(prepared, Fusing.ONNX_RUNTIME).keySet();
        Set<String> after = ActivationTensors.namesByTensor(smoothed.graph(), Fusing.ONNX_RUNTIME)
                .keySet();
        // A quantizer has to move from the tensor to its product with the factors; a second one would cost accuracy.
        Set<String> left = new LinkedHashSet<>(before);
        left.retainAll(after);
        return candidates.stream()
                .filter(candidate -> after.contains(smoothed.products().get(candidate.tensor()))
                        && (candidate.isProduct(smoothed) || !left.contains(candidate.quantized())))
                .toList();
    }

    /** Whether the product took the place of a branch, under whose name it is the quantized tensor now. */
    private boolean isProduct(SmoothedGraph smoothed) {
        return smoothed.products().get(tensor).equals(quantized);
    }

    private float[] ones(Graph graph) {
        Reader first = layers.get(0);
        float[] ones =
                new float[(int) graph.constants().get(first.point().weight()).shape()[first.inputAxis()]];
        Arrays.fill(ones, 1);
        return ones;
    }

    private static List<SmoothableInput> candidates(Graph prepared) {
        Set<String> quantized =
                ActivationTensors.namesByTensor(prepared, Fusing.ONNX_RUNTIME).keySet();
        Map<String, ComparePoint> points = ComparePoints.of(prepared).stream()
                .collect(Collectors.toMap(ComparePoint::weight, Function.identity()));
        Map<String, List<Reader>> readers = new LinkedHashMap<>();
        for (Node node : prepared.nodes()) {
            ComparePoint point = node.hasInput(1) ? points.get(node.input(1)) : null;
            boolean linear = point != null && (node.is("Gemm") || node.is("MatMul"));
            if (linear && prepared.constants().get(point.weight()).rank() == 2) {
                readers.computeIfAbsent(node.input(0), tensor -> new ArrayList<>())
                        .add(new Reader(point, node));
            }
        }
        List<SmoothableInput> candidates = new ArrayList<>();
        readers.forEach((tensor, layers) -> {
            String grid =
                    BiasGrid.inputTensor(prepared, quantized, layers.get(0).point());
            if (grid != null) {
                candidates.add(new SmoothableInput(tensor, grid, List.copyOf(layers)));
            }
        });
        return candidates;
    }
}
