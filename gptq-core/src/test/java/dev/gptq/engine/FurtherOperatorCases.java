package dev.gptq.engine;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.testing.GraphBuilder;
import java.util.Map;

import static dev.gptq.engine.OperatorCases.atOpset;
import static dev.gptq.engine.OperatorCases.of;
import static dev.gptq.engine.OperatorCases.on;

/** Cases of functions of single values, comparisons, normalizations, reductions and of three spatial dimensions. */
final class FurtherOperatorCases {
    private final Map<String, Graph> cases;

    private FurtherOperatorCases(Map<String, Graph> cases) {
        this.cases = cases;
    }

    static void addTo(Map<String, Graph> cases) {
        FurtherOperatorCases further = new FurtherOperatorCases(cases);
        further.activations();
        further.functions();
        further.comparisons();
        further.normalizations();
        further.reductions();
        further.threeDimensions();
    }

    private void add(String name, GraphBuilder graph) {
        cases.put(name, graph.build());
    }

    private void activations() {
        for (String op : new String[] {"Elu", "Selu", "Celu", "Softplus", "Softsign", "ThresholdedRelu", "Shrink"}) {
            add(op, on(2, 3, 4).node(op, "x", "out"));
        }
        add("Elu: alpha", on(2, 3, 4).node("Elu", "x", "out", "alpha", 0.3f));
        add("Selu: alpha, gamma", on(2, 3, 4).node("Selu", "x", "out", "alpha", 0.3f, "gamma", 1.5f));
        add("Celu: alpha", on(2, 3, 4).node("Celu", "x", "out", "alpha", 0.4f));
        add("ThresholdedRelu: alpha", on(2, 3, 4).node("ThresholdedRelu", "x", "out", "alpha", 0.2f));
        add("Shrink: lambd, bias", on(2, 3, 4).node("Shrink", "x", "out", "lambd", 0.3f, "bias", 0.2f));
        add("PRelu", on(2, 3, 4).weight("s", 3, 1).node("PRelu", "x s", "out"));
        add("Mish", atOpset(18, 2, 3, 4).node("Mish", "x", "out"));
        add("Gelu", atOpset(20, 2, 3, 4).node("Gelu", "x", "out"));
        add("Gelu: tanh", atOpset(20, 2, 3, 4).node("Gelu", "x", "out", "approximate", "tanh"));
    }

    private void functions() {
        for (String op : new String[] {"Sin", "Cos", "Sinh", "Cosh", "Atan", "Sign", "Floor", "Ceil", "Round"}) {
            add(op, on(2, 3, 4).node(op, "x", "out"));
        }
        add("Asin", on(2, 3).node("Tanh", "x", "a").node("Asin", "a", "out"));
        add("Tan", on(2, 3).node("Tanh", "x", "a").node("Tan", "a", "out"));
        add("Acos", on(2, 3).node("Tanh", "x", "a").node("Acos", "a", "out"));
        add("Reciprocal", on(2, 3).node("Exp", "x", "a").node("Reciprocal", "a", "out"));
        add("CastLike", atOpset(15, 2, 3).weight("c", 2).node("CastLike", "x c", "out"));
        for (String op : new String[] {"Sum", "Mean"}) {
            add(op, on(2, 3).weight("c", 3).weight("d", 2, 1).node(op, "x c d", "out"));
            add(op + ": one", on(2, 3).node(op, "x", "out"));
        }
        add("Where", on(2, 3).weight("c", 3).node("Greater", "x c", "g").node("Where", "g x c", "out"));
        add(
                "Where: broadcast",
                on(3).weight("c", 2, 1).node("Greater", "x c", "g").node("Where", "g c x", "out"));
        einsum("product", "ij,jk->ik", 4, 5);
        einsum("batch and transposition", "bij,bkj->bki", 2, 5, 4);
        einsum("attention", "bhid,bhjd->bhij", 2, 3, 5, 4);
        einsum("all summed", "ij,jk->", 4, 2);
        einsum("outer", "ij,k->ijk", 4);
        add("Einsum: one", on(2, 3, 4).node("Einsum", "x", "out", "equation", "ijk->kij"));
    }

    private void einsum(String name, String equation, long... other) {
        String[] terms = equation.split("[,-]");
        long[] shape = terms[0].length() == 2 ? of(3, 4) : terms[0].length() == 3 ? of(2, 3, 4) : of(2, 3, 2, 4);
        add("Einsum: " + name, on(shape).weight("c", other).node("Einsum", "x c", "out", "equation", equation));
    }

    private void comparisons() {
        for (String op : new String[] {"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"}) {
            truth(op, on(2, 3).weight("c", 3).node(op, "x c", "out"));
            truth(op + ": with itself", on(2, 3).node(op, "x x", "out"));
        }
        for (String op : new String[] {"And", "Or", "Xor"}) {
            truth(
                    op,
                    on(4, 3).scalar("lo", -0.3f)
                            .scalar("hi", 0.3f)
                            .node("Greater", "x lo", "a")
                            .node("Less", "x hi", "b")
                            .node(op, "a b", "out"));
        }
        truth("Not", on(2, 3).scalar("c", 0).node("Greater", "x c", "a").node("Not", "a", "out"));
        truth("IsNaN", on(2, 3).node("Log", "x", "a").node("IsNaN", "a", "out"));
    }

    private void truth(String name, GraphBuilder graph) {
        add(name, graph.output("out", ElementType.BOOL));
    }

    private void normalizations() {
        add(
                "InstanceNormalization",
                on(2, 3, 4, 5)
                        .weight("s", 3)
                        .weight("b", 3)
                        .node("InstanceNormalization", "x s b", "out", "epsilon", 0.1f));
        add(
                "GroupNormalization: scale of groups",
                atOpset(18, 2, 4, 3)
                        .weight("s", 2)
                        .weight("b", 2)
                        .node("GroupNormalization", "x s b", "out", "num_groups", 2));
        add(
                "GroupNormalization: scale of channels",
                atOpset(21, 2, 4, 3)
                        .weight("s", 4)
                        .weight("b", 4)
                        .node("GroupNormalization", "x s b", "out", "num_groups", 2));
        add(
                "LayerNormalization",
                atOpset(17, 2, 3, 4).weight("s", 4).weight("b", 4).node("LayerNormalization", "x s b", "out"));
        add(
                "LayerNormalization: axis, without bias",
                atOpset(17, 2, 3, 4).weight("s", 3, 4).node("LayerNormalization", "x s", "out", "axis", 1));
        add(
                "RMSNormalization",
                atOpset(23, 2, 3, 4).weight("s", 4).node("RMSNormalization", "x s", "out", "epsilon", 0.01f));
        add("LRN", on(2, 6, 3, 4).node("LRN", "x", "out", "size", 3, "alpha", 0.3f, "beta", 0.6f, "bias", 1.5f));
    }

    private void reductions() {
        for (String op : new String[] {
            "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"
        }) {
            add(op, on(2, 3, 4).node(op, "x", "out", "axes", of(0, -1)));
            add(op + ": one axis", on(2, 3, 4).node(op, "x", "out", "axes", of(1), "keepdims", 0));
            add(op + ": axes as input", atOpset(18, 2, 3, 4).longs("a", 1, 2).node(op, "x a", "out"));
            add(op + ": all", on(2, 3).node(op, "x", "out", "keepdims", 0));
        }
        add("ReduceLogSum", on(2, 3, 4).node("Exp", "x", "e").node("ReduceLogSum", "e", "out", "axes", of(2)));
    }

    private void threeDimensions() {
        add(
                "Conv: three dimensions",
                on(2, 3, 4, 5, 4).weight("w", 2, 3, 2, 3, 2).node("Conv", "x w", "out"));
        add(
                "ConvTranspose: three dimensions",
                on(1, 2, 3, 2, 3)
                        .weight("w", 2, 2, 2, 2, 2)
                        .node("ConvTranspose", "x w", "out", "strides", of(2, 1, 2)));
        for (String op : new String[] {"MaxPool", "AveragePool"}) {
            add(
                    op + ": three dimensions",
                    on(2, 2, 4, 5, 4).node(op, "x", "out", "kernel_shape", of(2, 3, 2), "strides", of(2, 1, 2)));
        }
    }
}
