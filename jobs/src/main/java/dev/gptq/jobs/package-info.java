/** The command line. */
package dev.gptq.jobs;
