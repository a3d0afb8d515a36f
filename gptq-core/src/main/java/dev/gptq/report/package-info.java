/** Metrics, the HTML report, and estimates of what a model and a run take. */
package dev.gptq.report;
