package dev.gptq.config;

import java.io.Serializable;

/**
 * One run: the whole YAML file.
 *
 * @param model path of the float ONNX model
 * @param evaluation null: no evaluation data; metrics then hold SQNR, cosine and agreement on calibration data only
 * @param device auto, cpu or gpu
 * @param allowUserClasses whether loss and log_function may name classes outside this project
 */
public record RunConfig(
        String model,
        DatasetConfig calibration,
        DatasetConfig evaluation,
        QuantizationConfig quantization,
        GradientPTQConfig gptq,
        TrainingConfig training,
        OutputConfig output,
        long seed,
        String device,
        boolean allowUserClasses)
        implements Serializable {}
