/** TensorBoard and MLflow, for runs that ask for them. */
package dev.gptq.jobs.tracking;
