package dev.gptq.calibrate;

import dev.gptq.engine.RuntimeNodes;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.ElementTypes;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.OperatorSupport;
import dev.gptq.graph.SupportedOperators;
import dev.gptq.graph.TensorData;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A node whose kernel or whose work on real numbers is not quantized.
 *
 * @param node its name
 * @param operator its ONNX operator
 * @param reason why, in words for people
 */
public record LeftInFloat(String node, String operator, String reason) implements Serializable {
    private static final Set<String> LINEAR = Set.of("Conv", "ConvTranspose", "Gemm", "MatMul");

    /** All such nodes of a prepared graph under {@code plan}, in graph order. */
    public static List<LeftInFloat> of(Graph prepared, QuantizationPlan plan) {
        Set<String> points = new HashSet<>();
        ComparePoints.of(prepared).forEach(point -> points.add(point.name()));
        Set<String> planned = new HashSet<>();
        plan.weights().stream()
                .map(WeightQuantizer::point)
                .map(ComparePoint::name)
                .forEach(planned::add);
        Set<String> runtime = RuntimeNodes.of(prepared);
        Map<String, ElementType> types = ElementTypes.of(prepared);
        List<LeftInFloat> left = new ArrayList<>();
        for (Node node : prepared.nodes()) {
            String reason = null;
            if (points.contains(node.name())) {
                reason = planned.contains(node.name()) ? null : "the configuration skips it";
            } else if (LINEAR.contains(node.opType())) {
                reason = unquantizedKernel(prepared, node);
            } else if (node.is("Gather") && isReal(prepared.constants().get(node.input(0)))) {
                reason = "only tables of two dimensions that are read by rows are quantized";
            } else if (runtime.contains(node.name()) && worksOnReals(node, types)) {
                reason = "the engine lacks it: ONNX Runtime runs it as it is, and no gradient passes through it";
            }
            if (reason != null) {
                left.add(new LeftInFloat(node.name(), node.opType(), reason));
            }
        }
        return left;
    }

    /** Why a linear operator is no layer; null for a product of two activations, whose operands have quantizers. */
    private static String unquantizedKernel(Graph graph, Node node) {
        boolean product = node.is("MatMul") || node.is("Gemm");
        boolean second = graph.isConstant(node.input(1));
        TensorData kernel = graph.constants().get(node.input(second ? 1 : 0));
        if (kernel == null) {
            return product ? null : "its kernel is computed by the model";
        }
        if (kernel.type() != ElementType.FLOAT32) {
            return "its kernel is of type " + kernel.type();
        }
        if (node.is("MatMul")) {
            return kernel.rank() == 1
                    ? "its kernel is a vector"
                    : "its constant kernel is the first operand, and how many dimensions the second has is not known";
        }
        return second
                ? "its form (alpha, beta or transA) is not a plain product"
                : "its constant kernel is the first operand";
    }

    private static boolean isReal(TensorData constant) {
        return constant != null && constant.type().isFloating() && constant.rank() > 1;
    }

    private static boolean worksOnReals(Node node, Map<String, ElementType> types) {
        OperatorSupport support = SupportedOperators.of(node.opType());
        boolean indices = support != null && support.way() == OperatorSupport.Way.WITHOUT_GRADIENT;
        return !indices
                && node.outputs().stream()
                        .filter(output -> !output.isEmpty())
                        .map(types::get)
                        .anyMatch(type -> type == null || type.isFloating());
    }
}
