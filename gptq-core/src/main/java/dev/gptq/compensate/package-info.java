/** Kernels that are rounded with error compensation: second moments of layer inputs, and the rounding that they allow. */
package dev.gptq.compensate;
