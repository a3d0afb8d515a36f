/** Label-free Hessian scores per sample and layer, and the loss weights that follow from them. */
package dev.gptq.hessian;
