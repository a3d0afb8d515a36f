package dev.gptq.graph.pattern;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Finds what exporters write as several operators and what is one function to quantization. */
public final class Units {
    private Units() {}

    /** The units of a prepared graph, from the last to the first; they share no nodes. */
    public static List<Unit> of(Graph prepared) {
        Set<String> layers =
                ComparePoints.of(prepared).stream().map(ComparePoint::output).collect(Collectors.toSet());
        Region region = new Region(prepared, layers);
        AttentionScores attention = new AttentionScores(prepared);
        Set<Node> taken = new HashSet<>();
        Predicate<Node> free = node -> !taken.contains(node);
        List<Unit> units = new ArrayList<>();
        List<Node> nodes = prepared.nodes();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            Node exit = nodes.get(i);
            // A bias is part of its layer.
            if (taken.contains(exit) || exit.outputs().size() != 1 || layers.contains(exit.output())) {
                continue;
            }
            Unit unit = unit(exit, prepared, region, attention, free);
            if (unit != null) {
                units.add(unit);
                taken.addAll(unit.nodes());
            }
        }
        return units;
    }

    private static Unit unit(Node exit, Graph graph, Region region, AttentionScores attention, Predicate<Node> free) {
        if (!ElementwiseFunction.OPERATORS.contains(exit.opType())) {
            return attention.endingIn(exit, free);
        }
        Unit normalization = Normalization.endingIn(exit, region, free);
        return normalization == null ? ElementwiseFunction.endingIn(exit, graph, region, free) : normalization;
    }
}
