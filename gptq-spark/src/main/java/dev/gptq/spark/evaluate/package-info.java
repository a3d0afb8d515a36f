/** The comparison over all blocks. */
package dev.gptq.spark.evaluate;
