package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;

/** Rewrites a graph into the form that all later stages work on; the float function stays the same. */
public final class GraphPreparation {
    private GraphPreparation() {}

    /**
     * Removes Identity and Dropout, folds constants and BatchNormalization, gives every layer that can have one a bias
     * constant, makes weights that two layers share separate constants, and drops what no output needs.
     */
    public static Graph prepare(Graph graph) {
        throw new UnsupportedOperationException();
    }
}
