package dev.gptq.spark.run;

import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.export.QdqExporter;
import dev.gptq.onnx.ModelMetadata;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.spark.data.Crc32cCounter;
import dev.gptq.spark.data.ModelFolder;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.evaluate.EvaluateStage;
import java.util.Arrays;
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
        OnnxModel ptq = model(context, state, RunDirectory.PTQ_MODEL, state.ptqLayers);
        clock.advanced(1, RunDirectory.PTQ_MODEL);
        OnnxModel quantized = model(context, state, RunDirectory.QUANTIZED_MODEL, state.layers);
        clock.advanced(2, RunDirectory.QUANTIZED_MODEL);
        clock.finish(
                "%d bytes, float model %d bytes",
                quantized.bytes(), context.model().bytes());
        state.models =
                new EvaluateStage.Models(context.model(), ptq, quantized, state.plan, state.ptqLayers, state.layers);
    }

    /** Writes a model unless its files are there with the same content; the models of a complete run are as they are. */
    private static OnnxModel model(RunContext context, RunState state, String name, List<QuantizedLayer> layers) {
        RunFiles files = context.files();
        if (context.directory().isComplete()) {
            return ModelFolder.readModel(files.path(name), context.spark().hadoopConfiguration());
        }
        OnnxModel model = export(context, state, layers, name);
        if (!isThere(files, name, model)) {
            if (!model.outside().isEmpty()) {
                files.write(name + RunDirectory.CONSTANTS, model::writeOutside);
            }
            files.write(name, model.file());
            state.newModels = true;
        }
        return model;
    }

    private static boolean isThere(RunFiles files, String name, OnnxModel model) {
        if (!files.exists(name) || !Arrays.equals(files.read(name), model.file())) {
            return false;
        }
        String constants = name + RunDirectory.CONSTANTS;
        return model.outside().isEmpty()
                || (files.exists(constants)
                        && files.checksums(constants).get(0).crc32c().equals(crcOfConstants(model)));
    }

    private static String crcOfConstants(OnnxModel model) {
        return Crc32cCounter.of(new OnnxModel(new byte[0], model.outside())::writeAll);
    }

    private static OnnxModel export(RunContext context, RunState state, List<QuantizedLayer> layers, String name) {
        OnnxModel exported = QdqExporter.export(
                context.corrected(),
                state.plan,
                layers,
                context.config().quantization().opset(),
                ModelFolder.fileLimit(context.spark().hadoopConfiguration()),
                name + RunDirectory.CONSTANTS);
        return ModelMetadata.copy(context.model(), exported);
    }
}
