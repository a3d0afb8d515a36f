package dev.gptq.engine;

import dev.gptq.GptqException;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.ElementTypes;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A graph with its tensor names resolved to numbered slots, made once so that a run looks nothing up. */
final class ExecutionPlan {
    private final Map<String, Integer> slots = new HashMap<>();
    private final Set<String> inputs = new HashSet<>();
    private final Set<Integer> permanent = new HashSet<>();
    private final List<String> names = new ArrayList<>();
    private final List<Step> steps;

    ExecutionPlan(Graph graph) {
        graph.constants().keySet().forEach(name -> permanent.add(newSlot(name)));
        for (ValueInfo input : graph.inputs()) {
            inputs.add(input.name());
            newSlot(input.name());
        }
        Map<Integer, Integer> lastReaders = new HashMap<>();
        List<Step> unreleased = resolve(graph, lastReaders);
        for (ValueInfo output : graph.outputs()) {
            permanent.add(slot(output.name()));
        }
        steps = withReleases(unreleased, lastReaders);
    }

    /**
     * One node, ready to run.
     *
     * @param inputSlots where its inputs are, -1 for an absent one
     * @param constants the values of inputs that are constants, else null
     * @param outputSlots where its outputs go, -1 for one that it leaves out
     * @param releasedSlots what nothing reads after this node; outputs and constants of the graph excluded
     */
    record Step(
            Node node,
            Operator operator,
            int[] inputSlots,
            TensorData[] constants,
            int[] outputSlots,
            int[] releasedSlots) {}

    List<Step> steps() {
        return steps;
    }

    int slotCount() {
        return names.size();
    }

    String name(int slot) {
        return names.get(slot);
    }

    boolean isInput(String tensor) {
        return inputs.contains(tensor);
    }

    boolean isPermanent(int slot) {
        return permanent.contains(slot);
    }

    int slot(String tensor) {
        Integer slot = slots.get(tensor);
        if (slot == null) {
            throw GptqException.badInput(
                    "Cannot run model: tensor '%s' is read before anything produces it. Check the model.", tensor);
        }
        return slot;
    }

    /** Frees what operators hold. */
    void close() {
        for (Step step : steps) {
            if (step.operator() instanceof RuntimeOperator runtime) {
                runtime.close();
            }
        }
    }

    private int newSlot(String tensor) {
        slots.put(tensor, names.size());
        names.add(tensor);
        return names.size() - 1;
    }

    private List<Step> resolve(Graph graph, Map<Integer, Integer> lastReaders) {
        List<Step> result = new ArrayList<>();
        Set<String> missing = new TreeSet<>();
        Map<String, ElementType> types = ElementTypes.of(graph);
        for (Node node : graph.nodes()) {
            Operator operator = Operators.find(node, graph, types);
            if (operator == null) {
                missing.add(node.opType());
                node.outputs().forEach(this::newSlot);
                continue;
            }
            int[] inputSlots = new int[node.inputs().size()];
            TensorData[] constants = new TensorData[inputSlots.length];
            for (int i = 0; i < inputSlots.length; i++) {
                inputSlots[i] = node.hasInput(i) ? slot(node.input(i)) : -1;
                constants[i] = graph.constants().get(node.input(i));
                lastReaders.put(inputSlots[i], result.size());
            }
            int[] outputSlots = new int[node.outputs().size()];
            for (int i = 0; i < outputSlots.length; i++) {
                String output = node.outputs().get(i);
                outputSlots[i] = output.isEmpty() ? -1 : newSlot(output);
                lastReaders.put(outputSlots[i], result.size());
            }
            result.add(new Step(node, operator, inputSlots, constants, outputSlots, new int[0]));
        }
        if (!missing.isEmpty()) {
            throw GptqException.unsupported(
                    "Cannot run model '%s': the engine lacks the operators %s. Replace them in the model.",
                    graph.name(), missing);
        }
        return result;
    }

    private List<Step> withReleases(List<Step> unreleased, Map<Integer, Integer> lastReaders) {
        Map<Integer, List<Integer>> releases = new HashMap<>();
        for (Map.Entry<Integer, Integer> last : lastReaders.entrySet()) {
            if (last.getKey() >= 0 && !permanent.contains(last.getKey())) {
                releases.computeIfAbsent(last.getValue(), key -> new ArrayList<>())
                        .add(last.getKey());
            }
        }
        List<Step> result = new ArrayList<>();
        for (int i = 0; i < unreleased.size(); i++) {
            Step step = unreleased.get(i);
            int[] released = releases.getOrDefault(i, List.of()).stream()
                    .mapToInt(Integer::intValue)
                    .sorted()
                    .toArray();
            result.add(new Step(
                    step.node(), step.operator(), step.inputSlots(), step.constants(), step.outputSlots(), released));
        }
        return List.copyOf(result);
    }
}
