/** Gradients from executor to executor inside a barrier stage, over Spark's own transport. */
package dev.gptq.spark.exchange;
