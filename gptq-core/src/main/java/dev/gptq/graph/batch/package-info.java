/** Makes the batch dimension of models dynamic that were exported for one batch size, and proves that they then do the same. */
package dev.gptq.graph.batch;
