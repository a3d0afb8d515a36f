/** Bits layer by layer under a budget: what single layers cost in output error, and the search. */
package dev.gptq.mixedprecision;
