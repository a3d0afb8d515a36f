package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import java.util.Map;

/**
 * What one run of the quantized student yields.
 *
 * @param outputs model outputs by name, quantized where the plan says so
 * @param comparePoints raw outputs of the layers (before any activation quantizer) by tensor name; a layer's tensor may be
 *     a model output too, and is then in both maps
 */
public record StudentOutputs(Map<String, NDArray> outputs, Map<String, NDArray> comparePoints) {}
