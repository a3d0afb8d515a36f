/** Plan and trained layers to an ONNX model with quantizers, dequantizers and integer weights. */
package dev.gptq.export;
