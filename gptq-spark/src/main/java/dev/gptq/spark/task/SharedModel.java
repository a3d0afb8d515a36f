package dev.gptq.spark.task;

import dev.gptq.graph.Graph;
import java.io.Serializable;
import org.apache.spark.util.SerializableConfiguration;

/**
 * What every task of a run needs; broadcast once.
 *
 * @param runId names one execution of the pipeline; executors keep what they loaded until another one comes
 * @param devices where tasks compute
 */
public record SharedModel(String runId, Graph prepared, ComputeDevices devices, SerializableConfiguration hadoop)
        implements Serializable {}
