package dev.gptq.spark.run;

import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.export.QdqExporter;
import dev.gptq.onnx.ModelMetadata;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.spark.data.ModelFolder;
import dev.gptq.spark.evaluate.EvaluateStage;
import java.util.List;

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
        OnnxModel ptq = export(context, state, state.ptqLayers, RunDirectory.PTQ_MODEL);
        clock.advanced(1, RunDirectory.PTQ_MODEL);
        OnnxModel quantized = export(context, state, state.layers, RunDirectory.QUANTIZED_MODEL);
        clock.advanced(2, RunDirectory.QUANTIZED_MODEL);
        clock.finish(
                "%d bytes, float model %d bytes",
                quantized.bytes(), context.model().bytes());
        state.models =
                new EvaluateStage.Models(context.model(), ptq, quantized, state.plan, state.ptqLayers, state.layers);
    }

    private static OnnxModel export(RunContext context, RunState state, List<QuantizedLayer> layers, String name) {
        OnnxModel exported = QdqExporter.export(
                context.corrected(),
                state.plan,
                layers,
                context.config().quantization().opset(),
                ModelFolder.fileLimit(context.spark().hadoopConfiguration()),
                name + RunDirectory.CONSTANTS);
        OnnxModel model = ModelMetadata.copy(context.model(), exported);
        if (!model.outside().isEmpty()) {
            context.files().write(name + RunDirectory.CONSTANTS, model::writeOutside);
        }
        context.files().write(name, model.file());
        return model;
    }
}
