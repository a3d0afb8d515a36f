/** Training on the cluster: lanes, segments, checkpoints. */
package dev.gptq.spark.train;
