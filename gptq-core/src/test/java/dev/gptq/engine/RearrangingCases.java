package dev.gptq.engine;

import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.testing.GraphBuilder;
import java.util.Map;

import static dev.gptq.engine.OperatorCases.atOpset;
import static dev.gptq.engine.OperatorCases.of;
import static dev.gptq.engine.OperatorCases.on;

/** Cases of operators that repeat, split, pick, replace and resize. */
final class RearrangingCases {
    private final Map<String, Graph> cases;

    private RearrangingCases(Map<String, Graph> cases) {
        this.cases = cases;
    }

    static void addTo(Map<String, Graph> cases) {
        RearrangingCases rearranging = new RearrangingCases(cases);
        rearranging.layouts();
        rearranging.elements();
        rearranging.pads();
        rearranging.resizes();
    }

    private void add(String name, GraphBuilder graph) {
        cases.put(name, graph.build());
    }

    private static TensorData indices(long[] values, long... shape) {
        return TensorData.ofLongs(ElementType.INT64, values, shape);
    }

    private void layouts() {
        add("Expand", on(3, 1).longs("s", 2, 1, 4).node("Expand", "x s", "out"));
        add("Tile", on(2, 3).longs("r", 2, 3).node("Tile", "x r", "out"));
        add("Split", on(2, 6).node("Split", "x", "a b", "axis", 1).node("Sub", "a b", "out"));
        add(
                "Split: sizes",
                on(2, 6).longs("n", 1, 3, 2)
                        .node("Split", "x n", "a b c", "axis", -1)
                        .node("Concat", "c a b", "out", "axis", 1));
        add(
                "Split: uneven",
                atOpset(18, 2, 5)
                        .node("Split", "x", "a b", "axis", 1, "num_outputs", 2)
                        .node("Concat", "b a", "out", "axis", 1));
        add("DepthToSpace", on(2, 8, 2, 3).node("DepthToSpace", "x", "out", "blocksize", 2));
        add("DepthToSpace: CRD", on(2, 8, 2, 3).node("DepthToSpace", "x", "out", "blocksize", 2, "mode", "CRD"));
        add("SpaceToDepth", on(2, 3, 4, 6).node("SpaceToDepth", "x", "out", "blocksize", 2));
        add("Trilu", atOpset(14, 2, 3, 4).node("Trilu", "x", "out"));
        add("Trilu: lower", atOpset(14, 4, 3).constant("k", indices(of(-1))).node("Trilu", "x k", "out", "upper", 0));
        add("Size", on(2, 3).node("Size", "x", "out").output("out", ElementType.INT64));
        add(
                "ConstantOfShape",
                on(2, 3).node("Shape", "x", "s")
                        .node("ConstantOfShape", "s", "c", "value", TensorData.ofFloats(new float[] {1.5f}, 1))
                        .node("Mul", "x c", "out"));
        add(
                "ConstantOfShape: zeros",
                on(2, 3).node("Shape", "x", "s")
                        .node("ConstantOfShape", "s", "z")
                        .node("Add", "x z", "out"));
    }

    private void elements() {
        add(
                "GatherElements",
                on(2, 3).constant("i", indices(of(0, 2, -1, 1), 2, 2)).node("GatherElements", "x i", "out", "axis", 1));
        add(
                "GatherND",
                on(2, 3, 4).constant("i", indices(of(0, 1, 1, -1), 2, 2)).node("GatherND", "x i", "out"));
        add(
                "GatherND: batch",
                on(2, 3, 4).constant("i", indices(of(2, 0), 2, 1)).node("GatherND", "x i", "out", "batch_dims", 1));
        add(
                "ScatterElements",
                on(3, 4).constant("i", indices(of(1, -1), 1, 2))
                        .weight("u", 1, 2)
                        .node("ScatterElements", "x i u", "out", "axis", 1));
        add(
                "ScatterND",
                on(3, 4).constant("i", indices(of(2, 0), 2, 1))
                        .weight("u", 2, 4)
                        .node("ScatterND", "x i u", "out"));
        add(
                "ScatterND: elements",
                on(3, 4).constant("i", indices(of(2, 0, 1, -1), 2, 2))
                        .weight("u", 2)
                        .node("ScatterND", "x i u", "out"));
        for (int exclusive = 0; exclusive < 2; exclusive++) {
            for (int reverse = 0; reverse < 2; reverse++) {
                add(
                        "CumSum: exclusive " + exclusive + ", reverse " + reverse,
                        on(2, 3, 4)
                                .constant("a", indices(of(1)))
                                .node("CumSum", "x a", "out", "exclusive", exclusive, "reverse", reverse));
            }
        }
    }

    private void pads() {
        add("Pad: reflect", on(2, 4, 5).longs("p", 0, 2, 1, 0, 1, 3).node("Pad", "x p", "out", "mode", "reflect"));
        add("Pad: edge", on(2, 4, 5).longs("p", 1, 2, 0, 0, 3, 1).node("Pad", "x p", "out", "mode", "edge"));
        add("Pad: wrap", atOpset(19, 4, 5).longs("p", 2, 1, 1, 3).node("Pad", "x p", "out", "mode", "wrap"));
    }

    private void resizes() {
        resize("nearest", "scales", "mode", "nearest");
        resize(
                "nearest, asymmetric, floor",
                "scales",
                "coordinate_transformation_mode",
                "asymmetric",
                "nearest_mode",
                "floor");
        resize("nearest, ceil", "sizes", "nearest_mode", "ceil");
        resize("nearest, prefer ceil", "sizes", "nearest_mode", "round_prefer_ceil");
        resize("linear", "sizes", "mode", "linear");
        resize("linear, scales", "scales", "mode", "linear");
        resize("linear, align corners", "sizes", "mode", "linear", "coordinate_transformation_mode", "align_corners");
        resize("linear, pytorch", "sizes", "mode", "linear", "coordinate_transformation_mode", "pytorch_half_pixel");
        resize("cubic", "sizes", "mode", "cubic");
        resize("cubic, exclude outside", "scales", "mode", "cubic", "exclude_outside", 1, "cubic_coeff_a", -0.5f);
        add(
                "Resize: axes",
                atOpset(18, 1, 2, 4, 5)
                        .longs("n", 7)
                        .node("Resize", "x - - n", "out", "mode", "linear", "axes", of(3)));
    }

    private void resize(String name, String by, Object... attributes) {
        GraphBuilder graph = on(1, 2, 4, 5);
        if (by.equals("scales")) {
            graph.constant("s", TensorData.ofFloats(new float[] {1, 1, 2, 0.6f}, 4))
                    .node("Resize", "x - s", "out", attributes);
        } else {
            graph.longs("n", 1, 2, 7, 3).node("Resize", "x - - n", "out", attributes);
        }
        add("Resize: " + name, graph);
    }
}
