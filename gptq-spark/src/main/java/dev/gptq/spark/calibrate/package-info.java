/** Statistics of all blocks. */
package dev.gptq.spark.calibrate;
