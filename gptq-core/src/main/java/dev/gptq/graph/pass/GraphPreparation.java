package dev.gptq.graph.pass;

import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.Graph;
import java.util.function.UnaryOperator;

/** Rewrites a graph into the form that all later stages work on; the float function stays the same. */
public final class GraphPreparation {
    private GraphPreparation() {}

    /**
     * Brings the graph to opset 13 or later, removes Identity and Dropout, folds constants and known shapes, gives every
     * layer that can have one a bias constant, makes weights that two layers share separate constants, drops what no output
     * needs, and makes means over all spatial dimensions GlobalAveragePool. In between, in MCT's order, come the rewrites
     * that {@code config} asks for: folding BatchNormalization backwards and forwards, ReLU bounds, linear and residual
     * collapsing. Inputs and outputs keep their names, and so does every layer that stays; of two layers that become one,
     * the first gives its name and the second its output.
     *
     * @throws dev.gptq.GptqException UNSUPPORTED_MODEL for a model that is quantized already
     */
    public static Graph prepare(Graph graph, PreparationConfig config) {
        Graph prepared = MatMulNormalization.apply(GemmNormalization.apply(ShapeFolding.apply(normalize(graph))));
        prepared = WeightUnsharing.apply(prepared);
        prepared = BiasInsertion.apply(prepared);
        prepared = applyIf(config.batchNormFolding(), BatchNormFolding::apply, prepared);
        prepared = applyIf(config.batchNormForwardFolding(), BatchNormForwardFolding::apply, prepared);
        prepared = BatchNormRewrite.apply(prepared);
        prepared = applyIf(config.reluBoundToPowerOfTwo(), ReluBoundToPowerOfTwo::apply, prepared);
        prepared = applyIf(config.linearCollapsing(), LinearCollapsing::apply, prepared);
        prepared = applyIf(config.residualCollapsing(), ResidualCollapsing::apply, prepared);
        return SpatialMeans.apply(DeadCodeElimination.apply(prepared));
    }

    /**
     * The first half of {@link #prepare}: the graph at opset 13 or later, without Identity and Dropout, with constants folded.
     *
     * @throws dev.gptq.GptqException UNSUPPORTED_MODEL for a model that is quantized already
     */
    public static Graph normalize(Graph graph) {
        QuantizedModels.refuse(graph);
        return DeadCodeElimination.apply(ConstantFolding.apply(IdentityRemoval.apply(OpsetUpgrade.apply(graph))));
    }

    private static Graph applyIf(boolean wanted, UnaryOperator<Graph> pass, Graph graph) {
        return wanted ? pass.apply(graph) : graph;
    }
}
