package dev.gptq.graph;

import java.io.Serializable;

/**
 * Name, element type and shape of a graph input or output; a dimension of -1 is dynamic. The shape of an output may be
 * null: the model does not tell it.
 */
public record ValueInfo(String name, ElementType type, long[] shape) implements Serializable {}
