package dev.gptq.spark.run;

import dev.gptq.export.QdqExporter;
import dev.gptq.spark.evaluate.EvaluateStage;

/** Both models as files: rounded to nearest, and trained. */
final class ExportWork implements StageWork {
    @Override
    public Stage stage() {
        return Stage.EXPORT;
    }

    @Override
    public void run(RunContext context, RunState state) {
        StageClock clock = context.clock();
        clock.start(StageClock.EXPORT, 2);
        int opset = context.config().quantization().opset();
        byte[] ptq = QdqExporter.export(context.corrected(), state.plan, state.ptqLayers, opset);
        context.files().write(RunDirectory.PTQ_MODEL, ptq);
        clock.advanced(1, RunDirectory.PTQ_MODEL);
        byte[] quantized = QdqExporter.export(context.corrected(), state.plan, state.layers, opset);
        context.files().write(RunDirectory.QUANTIZED_MODEL, quantized);
        clock.advanced(2, RunDirectory.QUANTIZED_MODEL);
        clock.finish("%d bytes, float model %d bytes", quantized.length, context.model().length);
        state.models =
                new EvaluateStage.Models(context.model(), ptq, quantized, state.plan, state.ptqLayers, state.layers);
    }
}
