package dev.gptq.graph;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.Serializable;
import java.util.Map;

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
 * @param place of the samples in the output; null for its first dimension
 */
public record ComparePoint(
        String name,
        String output,
        String weight,
        String bias,
        int channelAxis,
        @JsonInclude(JsonInclude.Include.NON_NULL) SamplePlace place)
        implements Serializable {
    /** With the samples in the first dimension. */
    public ComparePoint(String name, String output, String weight, String bias, int channelAxis) {
        this(name, output, weight, bias, channelAxis, null);
    }

    /** The same layer with its samples where {@code places} says that its output has them. */
    public ComparePoint at(Map<String, SamplePlace> places) {
        return new ComparePoint(name, output, weight, bias, channelAxis, places.get(output));
    }
}
