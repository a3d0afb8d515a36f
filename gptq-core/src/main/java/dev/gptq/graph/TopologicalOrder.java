package dev.gptq.graph;

import dev.gptq.GptqException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/** Sorts nodes so that each comes after the nodes whose outputs it reads. */
public final class TopologicalOrder {
    private TopologicalOrder() {}

    /**
     * The nodes in topological order; among nodes that are ready, the given order decides, so sorted nodes stay as they are.
     *
     * @param given tensors that need no producer: inputs and constants
     * @throws GptqException BAD_INPUT for a tensor that nothing produces, one that two nodes produce, and for a cycle
     */
    public static List<Node> sort(List<Node> nodes, Collection<String> given, String source) {
        Map<String, Integer> producers = producers(nodes, given, source);
        Map<Integer, List<Integer>> readers = new HashMap<>();
        int[] waiting = new int[nodes.size()];
        for (int i = 0; i < nodes.size(); i++) {
            Set<String> inputs = new HashSet<>(nodes.get(i).inputs());
            for (String input : inputs) {
                if (input.isEmpty() || producers.get(input) == -1) {
                    continue;
                }
                waiting[i]++;
                readers.computeIfAbsent(producers.get(input), key -> new ArrayList<>())
                        .add(i);
            }
        }
        PriorityQueue<Integer> ready = new PriorityQueue<>();
        for (int i = 0; i < waiting.length; i++) {
            if (waiting[i] == 0) {
                ready.add(i);
            }
        }
        List<Node> sorted = new ArrayList<>();
        while (!ready.isEmpty()) {
            int next = ready.remove();
            sorted.add(nodes.get(next));
            for (int reader : readers.getOrDefault(next, List.of())) {
                if (--waiting[reader] == 0) {
                    ready.add(reader);
                }
            }
        }
        if (sorted.size() < nodes.size()) {
            throw cycle(nodes, waiting, source);
        }
        return sorted;
    }

    /** The index of each tensor's producer, -1 for given tensors; every tensor that a node reads is there. */
    private static Map<String, Integer> producers(List<Node> nodes, Collection<String> given, String source) {
        Map<String, Integer> producers = new HashMap<>();
        given.forEach(tensor -> producers.put(tensor, -1));
        for (int i = 0; i < nodes.size(); i++) {
            for (String output : nodes.get(i).outputs()) {
                if (!output.isEmpty() && producers.put(output, i) != null) {
                    throw GptqException.badInput(
                            "Cannot read model %s: tensor '%s' is produced twice, the second time by node '%s'."
                                    + " Export the model again.",
                            source, output, nodes.get(i).name());
                }
            }
        }
        for (Node node : nodes) {
            for (String input : node.inputs()) {
                if (!input.isEmpty() && !producers.containsKey(input)) {
                    throw GptqException.badInput(
                            "Cannot read model %s: node '%s' (%s) reads tensor '%s', which nothing produces."
                                    + " Export the model again.",
                            source, node.name(), node.opType(), input);
                }
            }
        }
        return producers;
    }

    private static GptqException cycle(List<Node> nodes, int[] waiting, String source) {
        for (int i = 0; i < waiting.length; i++) {
            if (waiting[i] > 0) {
                return GptqException.badInput(
                        "Cannot read model %s: node '%s' (%s) is part of or behind a cycle. Export the model again.",
                        source, nodes.get(i).name(), nodes.get(i).opType());
            }
        }
        throw new IllegalStateException("no node is waiting");
    }
}
