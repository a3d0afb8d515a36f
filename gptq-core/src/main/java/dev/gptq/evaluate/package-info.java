/** The float model and the quantized ones in ONNX Runtime, compared. */
package dev.gptq.evaluate;
