/** Runs a function over the blocks of a sample store and folds its results in order; what tasks of a JVM share. */
package dev.gptq.spark.task;
