/** Sensitivities of all measured samples. */
package dev.gptq.spark.mixedprecision;
