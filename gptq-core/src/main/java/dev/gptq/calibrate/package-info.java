/** Activation statistics to thresholds, weight thresholds, and the quantization plan. */
package dev.gptq.calibrate;
