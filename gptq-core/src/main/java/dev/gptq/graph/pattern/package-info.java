/** What exporters write as several operators and quantization sees as one: hard-swish, GELU, LayerNorm, attention scores. */
package dev.gptq.graph.pattern;
