package dev.gptq.graph.pass;

import dev.gptq.graph.Graph;

/** Rewrites a graph into the form that all later stages work on; the float function stays the same. */
public final class GraphPreparation {
    private GraphPreparation() {}

    /**
     * Brings the graph to opset 13 or later, removes Identity and Dropout, folds constants and BatchNormalization, gives
     * every layer that can have one a bias constant, makes weights that two layers share separate constants, and drops
     * what no output needs. Inputs and outputs keep their names.
     */
    public static Graph prepare(Graph graph) {
        Graph prepared = IdentityRemoval.apply(OpsetUpgrade.apply(graph));
        prepared = ConstantFolding.apply(prepared);
        prepared = DeadCodeElimination.apply(prepared);
        prepared = GemmNormalization.apply(prepared);
        prepared = WeightUnsharing.apply(prepared);
        prepared = BiasInsertion.apply(prepared);
        prepared = BatchNormFolding.apply(prepared);
        prepared = BatchNormRewrite.apply(prepared);
        return DeadCodeElimination.apply(prepared);
    }
}
