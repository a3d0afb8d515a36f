package dev.gptq.graph;

import java.io.Serializable;

/** Name, element type and shape of a graph input or output; a dimension of -1 is dynamic. */
public record ValueInfo(String name, ElementType type, long[] shape) implements Serializable {}
