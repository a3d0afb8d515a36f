package dev.gptq.train;

import java.io.Serializable;
import java.util.Map;

/** Parameters and optimizer moments by name ("alpha", "bias", "scale", "alpha.moment1", ...), and the next step. */
public record TrainerState(int step, Map<String, float[]> arrays) implements Serializable {}
