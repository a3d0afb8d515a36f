package dev.gptq.spark.run;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.hessian.LossWeights;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.data.StoreIndex;
import dev.gptq.spark.evaluate.EvaluateStage;
import dev.gptq.train.RoundingTrainer.StepResult;
import java.util.List;
import java.util.Map;

/** What the stages of one run have found so far; each field is set by one stage and read by later ones. */
final class RunState {
    /** By prepare. */
    StoreIndex samples;

    /** By prepare; null without an evaluation dataset. */
    StoreIndex evaluated;

    /** By prepare: what executors run. */
    Map<String, String> versions;

    /** By calibrate. */
    QuantizationPlan plan;

    /** By hessian; of equal layers when nothing is trained. */
    LossWeights weights;

    /** By train: layers rounded to nearest. */
    List<QuantizedLayer> ptqLayers;

    /** By train: the result, which is the layers rounded to nearest when nothing is trained. */
    List<QuantizedLayer> layers;

    /** By train: the numbers of every step. */
    List<StepResult> history = List.of();

    /** By export. */
    EvaluateStage.Models models;

    /** By export: whether a model was not there before with the same content, so that metrics there are of others. */
    boolean newModels;

    /** By evaluate. */
    RunMetrics metrics;
}
