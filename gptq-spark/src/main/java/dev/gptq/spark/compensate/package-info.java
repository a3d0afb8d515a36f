/** Second moments of layer inputs over all blocks, and kernels rounded with error compensation layer by layer. */
package dev.gptq.spark.compensate;
