/** Scores of all samples. */
package dev.gptq.spark.hessian;
