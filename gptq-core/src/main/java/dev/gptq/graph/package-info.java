/** The model as data: graph, nodes, tensors, compare points, batches of samples. */
package dev.gptq.graph;
