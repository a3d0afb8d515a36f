package dev.gptq.graph;

import java.util.List;

/** Finds the layers of a prepared graph that are quantized and trained. */
public final class ComparePoints {
    private ComparePoints() {}

    /** All compare points in topological order; the last linear layer is included. */
    public static List<ComparePoint> of(Graph graph) {
        throw new UnsupportedOperationException();
    }
}
