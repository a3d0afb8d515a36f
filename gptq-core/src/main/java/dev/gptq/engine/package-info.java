/** Runs a graph on Deep Java Library's PyTorch: operators, gradients, devices, scopes of native memory. */
package dev.gptq.engine;
