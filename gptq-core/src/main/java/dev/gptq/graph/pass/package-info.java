/** Rewrites of the graph before anything is measured, one class each. */
package dev.gptq.graph.pass;
