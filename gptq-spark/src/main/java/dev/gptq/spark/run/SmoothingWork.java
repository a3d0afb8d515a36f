package dev.gptq.spark.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.calibrate.ActivationSmoothing;
import dev.gptq.calibrate.InputScales;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.spark.calibrate.CalibrateStage;
import dev.gptq.spark.calibrate.SmoothingStage;
import dev.gptq.spark.task.BlockJob;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Smooths activations where the configuration asks for it and the model has any to smooth, before their statistics. Its
 * factors are in smoothing.json; later stages see the smoothed graph.
 *
 * @param wanted whether there is anything to do
 * @param job blocks to look at; null when nothing is wanted or factors are there
 */
record SmoothingWork(RunContext context, boolean wanted, BlockJob job) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static SmoothingWork of(RunContext context, long samples) {
        QuantizationConfig config = context.config().quantization();
        boolean wanted = config.preparation().activationSmoothing()
                && ActivationSmoothing.isPossible(context.prepared(), config);
        boolean measures = wanted && !context.files().exists(RunDirectory.SMOOTHING);
        return new SmoothingWork(
                context, wanted, measures ? context.calibrationJob(samples, CalibrateStage.BLOCK_SIZE) : null);
    }

    /** Blocks that {@link #run} looks at. */
    long blocks() {
        return job == null ? 0 : job.blocks();
    }

    /** Returns the number of smoothed activations. */
    int run(LongConsumer progress) {
        if (!wanted) {
            return 0;
        }
        if (job != null) {
            QuantizationConfig config = context.config().quantization();
            InputScales scales = SmoothingStage.run(job, config, progress);
            write(ActivationSmoothing.factors(context.prepared(), config, scales));
        }
        Map<String, float[]> factors = read();
        context.smooth(ActivationSmoothing.apply(context.prepared(), factors));
        return factors.size();
    }

    private void write(Map<String, float[]> factors) {
        try {
            context.files().writeText(RunDirectory.SMOOTHING, JSON.writeValueAsString(factors) + "\n");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private Map<String, float[]> read() {
        try {
            return JSON.readValue(
                    context.files().readText(RunDirectory.SMOOTHING),
                    new TypeReference<LinkedHashMap<String, float[]>>() {});
        } catch (JsonProcessingException e) {
            throw new GptqException(
                    ErrorCode.IO,
                    "Cannot read smoothing.json: " + e.getOriginalMessage() + ". Delete it and start the run again.",
                    e);
        }
    }
}
