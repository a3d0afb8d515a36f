package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import dev.gptq.GptqException;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.TopologicalOrder;
import dev.gptq.graph.ValueInfo;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Turns a GraphProto into a {@link Graph}. */
final class GraphReader {
    private static final long DYNAMIC = -1;
    private static final Set<String> COUNTS_OUTPUTS = Set.of("Split", "If", "Loop", "Scan");

    private final OnnxMl.GraphProto proto;
    private final int opset;
    private final String source;
    private final TensorReader tensors;
    /** Constants that lie outside the file. */
    private final Map<String, TensorData> outside;

    private final Map<String, TensorData> constants = new LinkedHashMap<>();
    private final Set<String> nodeNames = new HashSet<>();

    GraphReader(OnnxMl.GraphProto proto, int opset, String source, Map<String, TensorData> outside) {
        this.outside = outside;
        this.proto = proto;
        this.opset = opset;
        this.source = source;
        this.tensors = new TensorReader(source);
    }

    static boolean isDefaultDomain(String domain) {
        return domain.isEmpty() || domain.equals("ai.onnx");
    }

    Graph read() {
        OperatorCheck.requireSupported(proto, source);
        for (OnnxMl.TensorProto initializer : proto.getInitializerList()) {
            TensorData loaded = outside.get(initializer.getName());
            addConstant(
                    initializer.getName(), loaded == null ? tensors.read(initializer, initializer.getName()) : loaded);
        }
        if (proto.getSparseInitializerCount() > 0) {
            throw GptqException.unsupported(
                    "Cannot read model %s: it holds sparse initializers. Export it with dense weights.", source);
        }
        List<Node> nodes = readNodes();
        OperatorCheck.requireSupportedForms(nodes, source);
        List<ValueInfo> inputs = new ArrayList<>();
        for (OnnxMl.ValueInfoProto input : proto.getInputList()) {
            if (!constants.containsKey(input.getName())) {
                inputs.add(readInput(input));
            }
        }
        List<ValueInfo> outputs = new ArrayList<>();
        proto.getOutputList().forEach(output -> outputs.add(readOutput(output)));
        Set<String> given = new LinkedHashSet<>(constants.keySet());
        inputs.forEach(input -> given.add(input.name()));
        List<Node> sorted = TopologicalOrder.sort(nodes, given, source);
        requireOutputs(outputs, sorted, given);
        return new Graph(proto.getName(), opset, inputs, outputs, constants, sorted);
    }

    private List<Node> readNodes() {
        Set<String> used = usedTensors();
        List<Node> nodes = new ArrayList<>();
        proto.getNodeList().forEach(node -> nodeNames.add(node.getName()));
        Set<String> taken = new HashSet<>();
        for (int i = 0; i < proto.getNodeCount(); i++) {
            OnnxMl.NodeProto node = proto.getNode(i);
            String name = uniqueName(node, i, taken);
            if (node.getOutputList().stream().allMatch(String::isEmpty)) {
                throw GptqException.badInput(
                        "Cannot read model %s: node '%s' (%s) has no output. Export the model again.",
                        source, name, node.getOpType());
            }
            Map<String, Serializable> attributes = readAttributes(node, name);
            if (node.getOpType().equals("Constant")) {
                addConstant(node.getOutput(0), tensors.constantOf(name, attributes));
            } else {
                Node read = new Node(name, node.getOpType(), node.getInputList(), outputs(node, used), attributes);
                List<String> inputs = new ArrayList<>(read.inputs());
                read.subgraphs().values().forEach(body -> inputs.addAll(body.captured()));
                nodes.add(read.withInputs(inputs));
            }
        }
        return nodes;
    }

    /** The outputs without those at the end that nothing reads; all where their number has a meaning. */
    private static List<String> outputs(OnnxMl.NodeProto node, Set<String> used) {
        int count = node.getOutputCount();
        while (!COUNTS_OUTPUTS.contains(node.getOpType()) && count > 1 && !used.contains(node.getOutput(count - 1))) {
            count--;
        }
        return node.getOutputList().subList(0, count);
    }

    private Set<String> usedTensors() {
        Set<String> used = new HashSet<>();
        for (OnnxMl.NodeProto node : proto.getNodeList()) {
            used.addAll(node.getInputList());
            for (OnnxMl.AttributeProto attribute : node.getAttributeList()) {
                if (attribute.hasG()) {
                    used.addAll(Subgraphs.read(attribute.getG()).captured());
                }
            }
        }
        proto.getOutputList().forEach(output -> used.add(output.getName()));
        used.remove("");
        return used;
    }

    /** The node's own name where no earlier node has it; else one made of operator or name and the node's position. */
    private String uniqueName(OnnxMl.NodeProto node, int index, Set<String> taken) {
        String name = node.getName();
        if (name.isEmpty() || !taken.add(name)) {
            String stem = (name.isEmpty() ? node.getOpType() : name) + "_" + index;
            name = stem;
            for (int i = 1; nodeNames.contains(name) || !taken.add(name); i++) {
                name = stem + "_" + i;
            }
        }
        return name;
    }

    private Map<String, Serializable> readAttributes(OnnxMl.NodeProto node, String name) {
        Map<String, Serializable> attributes = new LinkedHashMap<>();
        for (OnnxMl.AttributeProto attribute : node.getAttributeList()) {
            attributes.put(attribute.getName(), readAttribute(attribute, name));
        }
        return attributes;
    }

    private Serializable readAttribute(OnnxMl.AttributeProto attribute, String node) {
        return switch (attribute.getType()) {
            case INT -> attribute.getI();
            case FLOAT -> attribute.getF();
            case STRING -> attribute.getS().toStringUtf8();
            case INTS ->
                attribute.getIntsList().stream().mapToLong(Long::longValue).toArray();
            case FLOATS -> toFloats(attribute.getFloatsList());
            case STRINGS ->
                new ArrayList<>(attribute.getStringsList().stream()
                        .map(text -> text.toStringUtf8())
                        .toList());
            case TENSOR -> tensors.read(attribute.getT(), node + "." + attribute.getName());
            case GRAPH -> Subgraphs.read(attribute.getG());
            default ->
                throw GptqException.unsupported(
                        "Cannot read model %s: attribute '%s' of node '%s' is of type %s. Export the model without it.",
                        source, attribute.getName(), node, attribute.getType());
        };
    }

    private static float[] toFloats(List<Float> values) {
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = values.get(i);
        }
        return floats;
    }

    private void addConstant(String name, TensorData value) {
        if (constants.put(name, value) != null) {
            throw GptqException.badInput(
                    "Cannot read model %s: constant '%s' is defined twice. Export the model again.", source, name);
        }
    }

    private ValueInfo readInput(OnnxMl.ValueInfoProto input) {
        ValueInfo info = readOutput(input);
        if (info.shape() == null) {
            throw GptqException.badInput(
                    "Cannot read model %s: input '%s' has no shape. Export the model with input shapes.",
                    source, input.getName());
        }
        return info;
    }

    private ValueInfo readOutput(OnnxMl.ValueInfoProto value) {
        if (!value.getType().hasTensorType()) {
            throw GptqException.unsupported(
                    "Cannot read model %s: '%s' is no tensor. Export a model whose inputs and outputs are tensors.",
                    source, value.getName());
        }
        OnnxMl.TypeProto.Tensor type = value.getType().getTensorType();
        ElementType elementType = tensors.elementType(type.getElemType(), value.getName());
        if (!type.hasShape()) {
            return new ValueInfo(value.getName(), elementType, null);
        }
        long[] shape = type.getShape().getDimList().stream()
                .mapToLong(dimension -> dimension.getDimValue() > 0 ? dimension.getDimValue() : DYNAMIC)
                .toArray();
        return new ValueInfo(value.getName(), elementType, shape);
    }

    private void requireOutputs(List<ValueInfo> outputs, List<Node> nodes, Set<String> given) {
        Set<String> produced = new HashSet<>(given);
        nodes.forEach(node -> produced.addAll(node.outputs()));
        for (ValueInfo output : outputs) {
            if (!produced.contains(output.name())) {
                throw GptqException.badInput(
                        "Cannot read model %s: nothing produces its output '%s'. Export the model again.",
                        source, output.name());
            }
        }
        if (outputs.isEmpty()) {
            throw GptqException.badInput("Cannot read model %s: it has no outputs. Export the model again.", source);
        }
    }
}
