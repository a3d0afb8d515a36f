/** Datasets to samples to blocks, and the files of a run directory. */
package dev.gptq.spark.data;
