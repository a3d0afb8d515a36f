package dev.gptq.calibrate;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.Names;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The float graph that a plan is for: the prepared graph with the plan's {@link QuantizationPlan#corrections}. It has the
 * same compare points under the same names. Teacher, student, evaluation and export use it; Hessian scores are those of the
 * prepared graph, as in MCT.
 */
public final class CorrectedGraph {
    private static final int FIRST_SPATIAL_AXIS = 2;
    private static final int PAD_VALUE = 2;

    private final Graph graph;
    private final Map<String, TensorData> constants;
    private final List<Node> nodes;
    private final Names tensorNames;
    private final Names nodeNames;

    private CorrectedGraph(Graph graph, GraphCorrection correction) {
        this.graph = graph;
        this.constants = new LinkedHashMap<>(graph.constants());
        this.nodes = new ArrayList<>(graph.nodes());
        this.tensorNames = Names.ofTensors(graph);
        this.nodeNames = Names.ofNodes(graph);
        // The plan chose this name; no other new tensor may take it.
        tensorNames.fresh(correction.shiftedTensor());
    }

    /** The graph of a plan; {@code prepared} itself when the plan corrects nothing. */
    public static Graph of(Graph prepared, QuantizationPlan plan) {
        Graph graph = prepared;
        for (GraphCorrection correction : plan.corrections()) {
            graph = switch (correction.kind()) {
                case SHIFT_NEGATIVE -> new CorrectedGraph(graph, correction).shiftNegative(correction);
                case SOFTMAX_SHIFT -> new CorrectedGraph(graph, correction).shiftBias(correction);
            };
        }
        return graph;
    }

    private Graph shiftBias(GraphCorrection correction) {
        ComparePoint point = ComparePoints.of(graph).stream()
                .filter(candidate -> candidate.name().equals(correction.layer()))
                .findFirst()
                .orElseThrow();
        double[] shift = new double[constants.get(point.bias()).size()];
        Arrays.fill(shift, correction.shift());
        addToBias(point, shift);
        return build();
    }

    private Graph shiftNegative(GraphCorrection correction) {
        float shift = correction.shift();
        ShiftPath path = ShiftPath.from(graph, correction.tensor());
        Node producer = graph.producers().get(correction.tensor());
        Node reader = path.bypassed().isEmpty() ? path.layer() : path.bypassed().get(0);
        insertAfter(
                producer,
                new Node(
                        nodeNames.fresh(producer.name() + "_shift"),
                        "Add",
                        List.of(correction.tensor(), scalar(correction.shiftedTensor() + ".shift", shift)),
                        List.of(correction.shiftedTensor()),
                        Map.of()));
        Node shifted = withInput(reader, 0, correction.shiftedTensor());
        replace(reader, shifted);
        Node layer = reader == path.layer() ? shifted : path.layer();
        if (path.pad() != null) {
            Node pad = reader == path.pad() ? shifted : path.pad();
            replace(pad, withInput(pad, PAD_VALUE, scalar(pad.name() + ".value", shift)));
        } else if (ShiftPath.padsInput(layer)) {
            padExplicitly(layer, shift);
        }
        TensorData kernel = constants.get(path.point().weight());
        TensorData zeros = TensorData.ofFloats(new float[kernel.size()], kernel.shape());
        double[] sums = BiasCorrection.ofConstant(path.layer(), zeros, kernel.floats(), -shift);
        addToBias(path.point(), sums);
        return build();
    }

    /** The zeros that a convolution pads with stand for the shift now. */
    private void padExplicitly(Node layer, float shift) {
        long[] spatial = layer.integers("pads", null);
        int rank = FIRST_SPATIAL_AXIS + spatial.length / 2;
        long[] pads = new long[2 * rank];
        System.arraycopy(spatial, 0, pads, FIRST_SPATIAL_AXIS, spatial.length / 2);
        System.arraycopy(spatial, spatial.length / 2, pads, rank + FIRST_SPATIAL_AXIS, spatial.length / 2);
        String amounts = tensorNames.fresh(layer.name() + ".pads");
        constants.put(amounts, TensorData.ofLongs(ElementType.INT64, pads, pads.length));
        String padded = tensorNames.fresh(layer.input(0) + "_padded");
        Map<String, Serializable> attributes = new HashMap<>(layer.attributes());
        attributes.remove("pads");
        int place = nodes.indexOf(layer);
        Node unpadded = withInput(layer, 0, padded);
        nodes.set(place, new Node(layer.name(), layer.opType(), unpadded.inputs(), layer.outputs(), attributes));
        nodes.add(
                place,
                new Node(
                        nodeNames.fresh(layer.name() + "_pad"),
                        "Pad",
                        List.of(layer.input(0), amounts, scalar(layer.name() + ".pad_value", shift)),
                        List.of(padded),
                        Map.of("mode", "constant")));
    }

    private void addToBias(ComparePoint point, double[] terms) {
        TensorData bias = constants.get(point.bias());
        float[] values = bias.floats().clone();
        for (int channel = 0; channel < values.length; channel++) {
            values[channel] = (float) (values[channel] + terms[channel]);
        }
        constants.put(point.bias(), TensorData.ofFloats(values, bias.shape()));
    }

    private String scalar(String stem, float value) {
        String name = tensorNames.fresh(stem);
        constants.put(name, TensorData.ofFloats(new float[] {value}));
        return name;
    }

    private static Node withInput(Node node, int index, String tensor) {
        List<String> inputs = new ArrayList<>(node.inputs());
        if (index == inputs.size()) {
            inputs.add(tensor);
        } else {
            inputs.set(index, tensor);
        }
        return node.withInputs(inputs);
    }

    private void insertAfter(Node node, Node added) {
        nodes.add(nodes.indexOf(node) + 1, added);
    }

    private void replace(Node node, Node changed) {
        nodes.set(nodes.indexOf(node), changed);
    }

    private Graph build() {
        return graph.withNodes(nodes).withConstants(constants);
    }
}
