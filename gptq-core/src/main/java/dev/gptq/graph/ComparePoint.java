package dev.gptq.graph;

import java.io.Serializable;

/**
 * A layer whose kernel is quantized and trained, and the place where student and teacher are compared: the layer's raw
 * output, after its bias and before any activation function or activation quantizer.
 *
 * @param name the node's name, unique among compare points; what metrics and reports call the layer
 * @param output the compared tensor (for MatMul followed by Add of a constant vector: the Add's output)
 * @param weight the kernel's constant
 * @param bias the bias constant, or null where the layer cannot have one
 * @param channelAxis the kernel's output-channel axis (Conv 0, ConvTranspose 1, Gemm 0 or 1 by transB, MatMul last), of an
 *     embedding table the axis of its rows, 0
 */
public record ComparePoint(String name, String output, String weight, String bias, int channelAxis)
        implements Serializable {}
