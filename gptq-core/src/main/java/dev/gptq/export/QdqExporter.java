package dev.gptq.export;

import dev.gptq.GptqException;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.graph.Graph;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.onnx.OnnxWriter;
import java.util.List;

/**
 * Plan and rounded layers -> ONNX with QuantizeLinear / DequantizeLinear pairs and integer weights.
 *
 * <ul>
 *   <li>Activations: a pair behind every quantized tensor. All are int8 with zero point 0 when every grid is signed, as
 *       TensorRT wants it; else all are uint8, with signed symmetric grids at zero point 128. Fewer than 8 bits are stored
 *       in the same types, with a Clip of the integers inside the pair; 16 bits in int16 or uint16, below opset 21 by the
 *       operators of ONNX Runtime's own domain. Operators that only move
 *       values (MaxPool, Flatten, Transpose, ...) and Relu and Clip get a second pair with the same grid where a runtime
 *       needs it to keep integers; those change no value.
 *   <li>Kernels: int8, dequantized with one scale per channel and one zero point. From opset 21 on those of 2 to 4 bits
 *       are stored as int4, and a Cast makes int8 of them when ONNX Runtime loads the model.
 *   <li>Embedding tables: int8, of which rows are read and dequantized.
 *   <li>Biases: int32 on the grid of {@link dev.gptq.calibrate.BiasGrid}; float where that does not apply.
 * </ul>
 *
 * Names of inputs and outputs stay those of the float model, and equal arguments give equal bytes.
 *
 * <p>ONNX Runtime 1.23 turns every Conv, Gemm and MatMul whose input and output are quantized into an integer kernel, and
 * Gemm and MatMul with a constant kernel also where only their input is, with these exceptions, which it runs in float on
 * the dequantized values:
 *
 * <ul>
 *   <li>a convolution whose result goes through another function before it is quantized (LeakyRelu, HardSwish, Sigmoid,
 *       ...: plans for other targets are so), and ConvTranspose, for which it has no integer kernel;
 *   <li>layers with 16-bit activations on either side;
 *   <li>kernels on uniform 8-bit grids whose zero points differ too much between channels, see {@link StoredKernel};
 *   <li>int8 activations with several consumers on x64, where it takes them for uint8 only after a conversion that skips
 *       these; the session entry {@code session.qdqisint8allowed=1} makes them integer kernels too.
 * </ul>
 */
public final class QdqExporter {
    /** The first opset whose DequantizeLinear takes one scale per channel. */
    private static final int MINIMUM_OPSET = 13;

    private QdqExporter() {}

    /**
     * The quantized model file.
     *
     * @param layers every layer of the plan after rounding
     * @param opset 13 or later; a prepared graph of a later opset keeps its own
     * @throws GptqException BAD_INPUT for an opset below 13; UNSUPPORTED_MODEL for activations of more than 16 bits
     */
    public static byte[] export(Graph prepared, QuantizationPlan plan, List<QuantizedLayer> layers, int opset) {
        return OnnxWriter.write(quantize(prepared, plan, layers, opset));
    }

    /**
     * The quantized model of any size.
     *
     * @param limit the most bytes of constants in the model's file, {@link OnnxModel#LARGEST_FILE} or less
     * @param location the name of a second file, for constants that do not fit into the first
     */
    public static OnnxModel export(
            Graph prepared,
            QuantizationPlan plan,
            List<QuantizedLayer> layers,
            int opset,
            long limit,
            String location) {
        return OnnxWriter.write(quantize(prepared, plan, layers, opset), limit, location);
    }

    /** The quantized model as a graph. */
    static Graph quantize(Graph prepared, QuantizationPlan plan, List<QuantizedLayer> layers, int opset) {
        if (opset < MINIMUM_OPSET) {
            throw GptqException.badInput(
                    "Cannot export at opset %d: per-channel DequantizeLinear begins at %d. Set quantization.opset to %d "
                            + "or more.",
                    opset, MINIMUM_OPSET, MINIMUM_OPSET);
        }
        return OpsetRaising.raise(
                new QdqRewriter(prepared, plan, Math.max(opset, prepared.opset())).rewrite(layers), opset);
    }
}
