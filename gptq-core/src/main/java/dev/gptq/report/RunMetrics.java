package dev.gptq.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.gptq.calibrate.LeftInFloat;
import dev.gptq.mixedprecision.BitAssignment;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The content of metrics.json; {@code floatModel} is written as "float", names in snake_case.
 *
 * @param leftInFloat nodes that are not quantized; empty for files of older runs
 * @param mixedPrecision the bits that were chosen; null for a run without mixed precision
 * @param data rows of each dataset by name, calibration and evaluation; empty for files of older runs
 */
public record RunMetrics(
        @JsonProperty("float") ModelMetrics floatModel,
        ModelMetrics ptq,
        ModelMetrics gptq,
        Map<String, Double> timing,
        EngineAgreement engineAgreement,
        Training train,
        List<Layer> layers,
        List<LeftInFloat> leftInFloat,
        @JsonInclude(JsonInclude.Include.NON_NULL) BitAssignment mixedPrecision,
        Map<String, DataRows> data) {
    public RunMetrics {
        leftInFloat = leftInFloat == null ? List.of() : List.copyOf(leftInFloat);
        data = data == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(data));
    }

    /** Of a run without mixed precision that says nothing of datasets. */
    public RunMetrics(
            ModelMetrics floatModel,
            ModelMetrics ptq,
            ModelMetrics gptq,
            Map<String, Double> timing,
            EngineAgreement engineAgreement,
            Training train,
            List<Layer> layers,
            List<LeftInFloat> leftInFloat) {
        this(floatModel, ptq, gptq, timing, engineAgreement, train, layers, leftInFloat, null, Map.of());
    }

    /** The same metrics of a run that chose these bits. */
    public RunMetrics withMixedPrecision(BitAssignment chosen) {
        return new RunMetrics(floatModel, ptq, gptq, timing, engineAgreement, train, layers, leftInFloat, chosen, data);
    }

    /** The same with the rows of each dataset. */
    public RunMetrics withData(Map<String, DataRows> rows) {
        return new RunMetrics(
                floatModel, ptq, gptq, timing, engineAgreement, train, layers, leftInFloat, mixedPrecision, rows);
    }

    /**
     * What was taken of a dataset.
     *
     * @param badRows rows among those looked at that could not be used
     * @param badRowsPolicy fail, skip or quarantine
     */
    public record DataRows(long samples, long badRows, String badRowsPolicy) {}

    /** top1 is null without labels; the others are null for the float model. {@code bytes} is the file's size. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record ModelMetrics(
            @JsonInclude(JsonInclude.Include.ALWAYS) Double top1,
            Double sqnrDb,
            Double cosine,
            Double agreement,
            Long bytes) {}

    /**
     * How well the exported model's integer kernels in ONNX Runtime agree with the student that was trained.
     *
     * @param top1 share of samples with the same class; null when the first output is no class vector
     * @param withinOneStep share of output values that differ by at most one quantization step
     */
    public record EngineAgreement(Double top1, double withinOneStep) {}

    /** Loss per step (distillation plus regularizer) and its two parts. */
    public record Training(int steps, double[] loss, double[] distillationLoss, double[] regularization) {}

    /** One compare point. */
    public record Layer(String name, int bits, double hessianWeight, double sqnrPtqDb, double sqnrGptqDb) {}
}
