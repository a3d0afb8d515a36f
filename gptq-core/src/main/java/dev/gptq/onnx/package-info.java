/** ONNX files to graphs and back, with raising of old operator sets and constants that lie beside the file. */
package dev.gptq.onnx;
