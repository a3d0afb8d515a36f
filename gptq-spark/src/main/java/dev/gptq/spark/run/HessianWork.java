package dev.gptq.spark.run;

import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.hessian.LossWeights;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.hessian.HessianStage;
import dev.gptq.spark.hessian.ScoreTable;
import dev.gptq.spark.task.NumberJob;

/** Hessian scores, where training weighs its loss with them. */
final class HessianWork implements StageWork {
    @Override
    public Stage stage() {
        return Stage.HESSIAN;
    }

    @Override
    public void run(RunContext context, RunState state) {
        GPTQHessianScoresConfig scores = context.config().gptq().hessianWeightsConfig();
        boolean trains = context.config().gptq().nEpochs() > 0;
        state.weights = trains && scores != null
                ? score(context, state.samples.samples(), scores)
                : LossWeights.equal(context.points().size());
    }

    private static LossWeights score(RunContext context, long samples, GPTQHessianScoresConfig scores) {
        RunFiles files = context.files();
        StageClock clock = context.clock();
        if (context.isTrained() && files.exists(RunDirectory.LOSS_WEIGHTS)) {
            return LossWeightsFile.fromJson(files.readText(RunDirectory.LOSS_WEIGHTS));
        }
        long scored = scores.hessiansNumSamples() == null ? samples : scores.hessiansNumSamples();
        NumberJob table = HessianStage.table(
                context.calibrationJob(scored, scores.hessianBatchSize()),
                files.path(RunDirectory.SCORES),
                context.points());
        clock.start(StageClock.HESSIAN, scored, 1);
        boolean reused = table.isDone();
        if (!reused) {
            HessianStage.score(
                    table, context.points(), scores, context.config().seed(), done -> clock.advanced(done, ""));
        }
        if (!files.exists(RunDirectory.HESSIAN_SCORES + "/_SUCCESS")) {
            ScoreTable.write(
                    context.session(), table.folder(), context.points(), files.path(RunDirectory.HESSIAN_SCORES));
        }
        LossWeights weights = HessianStage.weights(table, scores);
        files.writeText(RunDirectory.LOSS_WEIGHTS, LossWeightsFile.toJson(weights));
        clock.finish(
                "%d samples scored at %d layers%s", scored, context.points().size(), reused ? ", reused" : "");
        return weights;
    }
}
