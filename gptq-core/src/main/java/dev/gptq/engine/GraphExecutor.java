package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Runs a graph on DJL's PyTorch engine. Constants are put on the device once, at creation; {@link #run} may be called
 * from several threads at once.
 */
public final class GraphExecutor implements AutoCloseable {
    private final Graph graph;
    private final NDManager constantScope;
    private final ExecutionPlan plan;
    private final NDArray[] initialValues;

    /**
     * Fails with UNSUPPORTED_MODEL when the engine lacks an operator or an element type of the graph, and with CLUSTER when
     * it cannot compute on {@code device}.
     */
    public GraphExecutor(Graph graph, Device device) {
        this.graph = graph;
        this.plan = new ExecutionPlan(graph);
        Engines.requireUsable(device);
        this.constantScope = Engines.newScope(device);
        this.initialValues = new NDArray[plan.slotCount()];
        try {
            for (Map.Entry<String, TensorData> constant : graph.constants().entrySet()) {
                initialValues[plan.slot(constant.getKey())] = Engines.toArray(constantScope, constant.getValue());
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Runs the graph once and keeps every array until {@code manager} closes.
     *
     * @param manager owns every array this call creates; the caller closes it
     * @param feeds the graph's inputs by name, and any constants to be replaced for this call
     * @param hook sees each input and node output
     * @return the graph's outputs by name (as the hook left them)
     * @throws GptqException BAD_INPUT when a feed does not fit the graph
     */
    public Map<String, NDArray> run(NDManager manager, Map<String, NDArray> feeds, TensorHook hook) {
        return run(manager, feeds, hook, null);
    }

    /**
     * Runs the graph once and frees arrays as soon as no node reads them, so that memory stays flat over the depth of the
     * model. {@link TensorHook} states what that means for a hook.
     *
     * @param kept tensors whose arrays stay open until {@code manager} closes; null keeps all
     */
    public Map<String, NDArray> run(NDManager manager, Map<String, NDArray> feeds, TensorHook hook, Set<String> kept) {
        PyTorchCalls.useOneThread();
        NDArray[] values = initialValues.clone();
        takeFeeds(feeds, values);
        RunLifetimes lifetimes = new RunLifetimes(plan, kept);
        for (ValueInfo input : graph.inputs()) {
            int slot = plan.slot(input.name());
            NDArray seen = hook.onTensor(input.name(), values[slot]);
            lifetimes.replaced(slot, values[slot], seen, false);
            values[slot] = seen;
        }
        for (ExecutionPlan.Step step : plan.steps()) {
            NDArray[] made = compute(manager, step, values);
            for (int i = 0; i < made.length; i++) {
                int slot = step.outputSlots()[i];
                if (slot >= 0) {
                    NDArray seen = hook.onTensor(plan.name(slot), made[i]);
                    lifetimes.replaced(slot, made[i], seen, true);
                    values[slot] = seen;
                }
            }
            lifetimes.release(step, values);
        }
        Map<String, NDArray> outputs = new LinkedHashMap<>();
        for (ValueInfo output : graph.outputs()) {
            outputs.put(output.name(), values[plan.slot(output.name())]);
        }
        return outputs;
    }

    /** The device the graph runs on. */
    public Device device() {
        return constantScope.getDevice();
    }

    public Graph graph() {
        return graph;
    }

    @Override
    public void close() {
        constantScope.close();
        plan.close();
    }

    private void takeFeeds(Map<String, NDArray> feeds, NDArray[] values) {
        for (ValueInfo input : graph.inputs()) {
            NDArray feed = feeds.get(input.name());
            if (feed == null) {
                throw GptqException.badInput(
                        "Cannot run model '%s': input '%s' is missing. Feed all of its inputs.",
                        graph.name(), input.name());
            }
            FeedCheck.requireInput(graph, input, feed);
            values[plan.slot(input.name())] = feed;
        }
        for (Map.Entry<String, NDArray> feed : feeds.entrySet()) {
            if (graph.isConstant(feed.getKey())) {
                FeedCheck.requireConstant(graph, feed.getKey(), feed.getValue());
                values[plan.slot(feed.getKey())] = feed.getValue();
            } else if (!plan.isInput(feed.getKey())) {
                throw GptqException.badInput(
                        "Cannot run model '%s': it has no input or constant '%s'. Its inputs are %s.",
                        graph.name(), feed.getKey(), FeedCheck.names(graph.inputs()));
            }
        }
    }

    private NDArray[] compute(NDManager manager, ExecutionPlan.Step step, NDArray[] values) {
        int[] slots = step.inputSlots();
        NDArray[] inputs = new NDArray[slots.length];
        TensorData[] constants = step.constants();
        for (int i = 0; i < slots.length; i++) {
            if (slots[i] >= 0) {
                inputs[i] = values[slots[i]];
                if (constants[i] != null && inputs[i] != initialValues[slots[i]]) {
                    constants = constants.clone();
                    constants[i] = null;
                }
            }
        }
        Node node = step.node();
        boolean constant = graph.inputs().isEmpty();
        try {
            if (constant || OutputSize.followsFromValues(node)) {
                OutputSize.require(node, inputs, constant ? OutputSize.MAX_CONSTANT_ELEMENTS : OutputSize.MAX_ELEMENTS);
            }
            NDArray[] outputs = step.operator().applyAll(new Call(manager, node, inputs, constants));
            for (NDArray output : outputs) {
                if (output != null && output.getManager() != manager) {
                    // The engine gives a result to its first operand's manager, which may outlive this call.
                    output.attach(manager);
                }
            }
            return outputs;
        } catch (EngineException | IllegalArgumentException | UnsupportedOperationException e) {
            throw FeedCheck.failed(node, inputs, e);
        }
    }
}
