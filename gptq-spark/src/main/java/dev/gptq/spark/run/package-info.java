/** The pipeline: stages, run directory, lock, manifest, dry run; the entry point for Java. */
package dev.gptq.spark.run;
