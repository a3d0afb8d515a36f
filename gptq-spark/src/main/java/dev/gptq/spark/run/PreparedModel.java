package dev.gptq.spark.run;

import dev.gptq.GptqException;
import dev.gptq.calibrate.IntegerBranches;
import dev.gptq.calibrate.LayerSettings;
import dev.gptq.config.RunConfig;
import dev.gptq.evaluate.FloatModelCheck;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.batch.FreeBatch;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.mixedprecision.BitChoices;
import dev.gptq.onnx.ModelMetadata;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.spark.data.ModelFolder;
import org.apache.hadoop.conf.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The float model, read and checked on the driver.
 *
 * @param file as it lies in storage, with the weights of files beside it
 * @param model what is compared with the quantized models: the file, or one with a dynamic batch dimension
 * @param graph what the stages see
 */
record PreparedModel(OnnxModel file, OnnxModel model, Graph graph) {
    private static final Logger LOG = LoggerFactory.getLogger(PreparedModel.class);

    /** Where constants lie of a model that is never written to a disk. */
    private static final String OUTSIDE_OF_MEMORY = "constants";

    /** @throws GptqException BAD_INPUT, IO or UNSUPPORTED_MODEL, before any data is read */
    static PreparedModel read(RunConfig config, Configuration hadoop) {
        OnnxModel file = ModelFolder.readModel(config.model(), hadoop);
        Graph read = OnnxReader.read(file, config.model());
        // First of all: what ONNX Runtime does not load is not worth a look at its nodes.
        FloatModelCheck.requireLoadable(file);
        Graph free = FreeBatch.apply(read, config.model());
        Graph prepared = IntegerBranches.apply(
                GraphPreparation.prepare(free, config.quantization().preparation()), config.quantization());
        OnnxModel model = file;
        if (free != read) {
            LOG.info("The model's fixed batch dimension is taken as a dynamic one.");
            model = ModelMetadata.copy(file, OnnxWriter.write(free, ModelFolder.fileLimit(hadoop), OUTSIDE_OF_MEMORY));
            FloatModelCheck.requireLoadable(model);
        }
        if (ComparePoints.of(prepared).isEmpty()) {
            throw GptqException.unsupported(
                    "Cannot quantize '%s': it has no convolution or linear layer with constant weights. Give a model with"
                            + " layers to quantize.",
                    config.model());
        }
        // Overrides for layers that are not there and impossible budgets are found before any data is read.
        LayerSettings.of(prepared, config.quantization());
        if (config.quantization().mixedPrecision() != null) {
            BitChoices.of(prepared, config.quantization())
                    .requirePossible(prepared, config.quantization().mixedPrecision());
        }
        return new PreparedModel(file, model, prepared);
    }
}
