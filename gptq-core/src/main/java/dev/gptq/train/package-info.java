/** Rounding quantizers, losses, regularizer, schedules, optimizers, and the gradient of one micro-batch. */
package dev.gptq.train;
