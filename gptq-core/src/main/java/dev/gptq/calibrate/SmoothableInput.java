package dev.gptq.calibrate;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
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
            return SmoothableInput.inputAxis(node);
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
        SmoothedGraph smoothed = new SmoothedGraph(prepared, ones);
        Set<String> after = ActivationTensors.namesByTensor(smoothed.graph(), Fusing.ONNX_RUNTIME)
                .keySet();
        return candidates.stream()
                .filter(candidate -> candidate.movesTo(smoothed.quotient(candidate.tensor()), after))
                .toList();
    }

    /** Whether the quantizer moves to the quotient: a second one would cost accuracy. */
    private boolean movesTo(String quotient, Set<String> after) {
        return after.contains(quotient) && (quotient.equals(quantized) || !after.contains(quantized));
    }

    /** Whether a node multiplies the last axis of its first input with one constant matrix. */
    static boolean isReader(Graph graph, Node node) {
        TensorData kernel =
                node.is("Gemm") || node.is("MatMul") ? graph.constants().get(node.input(1)) : null;
        return kernel != null && kernel.type() == ElementType.FLOAT32 && kernel.rank() == 2;
    }

    /** The axis of such a node's kernel that the product sums over. */
    static int inputAxis(Node node) {
        return node.is("Gemm") && node.integer("transB", 0) != 0 ? 1 : 0;
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
            ComparePoint point = isReader(prepared, node) ? points.get(node.input(1)) : null;
            if (point != null) {
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
