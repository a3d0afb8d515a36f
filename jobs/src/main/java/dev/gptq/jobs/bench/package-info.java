/** Benchmarks, each beside the limit it is held to. */
package dev.gptq.jobs.bench;
