package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import java.util.HashMap;
import java.util.Map;

/**
 * An operator (or a form of one, or one on element types) that the engine lacks, run by ONNX Runtime. Gradients stop here.
 * Sessions are made at first use, one for each combination of input types and replaced constants, and kept until closed.
 */
final class RuntimeOperator implements Operator, AutoCloseable {
    private final Node node;
    private final int opset;
    private final ElementType[] declaredTypes;
    private final Map<String, RuntimeNode> sessions = new HashMap<>();

    RuntimeOperator(Node node, int opset, Map<String, ElementType> types) {
        this.node = node;
        this.opset = opset;
        this.declaredTypes = node.inputs().stream().map(types::get).toArray(ElementType[]::new);
    }

    @Override
    public NDArray apply(Call call) {
        return applyAll(call)[0];
    }

    @Override
    public NDArray[] applyAll(Call call) {
        TensorData[] inputs = new TensorData[call.inputs().length];
        StringBuilder key = new StringBuilder();
        for (int i = 0; i < inputs.length; i++) {
            if (call.has(i)) {
                inputs[i] = call.constants()[i] != null ? call.constants()[i] : fetch(call, i);
                key.append(call.constants()[i] != null).append(inputs[i].type());
            }
            key.append(' ');
        }
        TensorData[] outputs = session(key.toString(), inputs, call.constants()).run(inputs);
        NDArray[] arrays = new NDArray[outputs.length];
        for (int i = 0; i < outputs.length; i++) {
            arrays[i] = outputs[i] == null ? null : Engines.toArray(call.manager(), outputs[i]);
        }
        return arrays;
    }

    private TensorData fetch(Call call, int index) {
        ElementType declared = declaredTypes[index];
        return declared == null ? Engines.toTensor(call.input(index)) : Engines.toTensor(call.input(index), declared);
    }

    private synchronized RuntimeNode session(String key, TensorData[] inputs, TensorData[] constants) {
        return sessions.computeIfAbsent(key, made -> new RuntimeNode(node, opset, inputs, constants));
    }

    @Override
    public synchronized void close() {
        sessions.values().forEach(RuntimeNode::close);
        sessions.clear();
    }
}
