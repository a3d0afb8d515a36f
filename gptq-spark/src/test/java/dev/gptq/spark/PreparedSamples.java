package dev.gptq.spark;

import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.Graph;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.spark.data.SamplePreparation;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.ComputeDevices;
import dev.gptq.spark.task.SharedModel;
import java.nio.file.Path;
import java.util.UUID;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/** The test model's samples as a store, and jobs on it. */
public record PreparedSamples(Graph prepared, String store, Broadcast<SharedModel> model) {
    public static PreparedSamples in(Path folder) {
        return in(folder, TestModel.graph());
    }

    /** The same samples for another model of the test model's inputs. */
    public static PreparedSamples in(Path folder, Graph graph) {
        TestModel.writeSamples(folder.resolve("data"), 2);
        Graph prepared = GraphPreparation.prepare(graph, PreparationConfig.defaults());
        String store = folder.resolve("store").toString();
        SamplePreparation.open(TestSpark.session(), TestModel.dataset(folder.resolve("data")), prepared)
                .write(store, store + "-quarantine", 0);
        SharedModel shared = new SharedModel(
                UUID.randomUUID().toString(),
                prepared,
                ComputeDevices.cpus("test"),
                new SerializableConfiguration(TestSpark.context().hadoopConfiguration()));
        return new PreparedSamples(prepared, store, TestSpark.context().broadcast(shared));
    }

    /** A job over all samples. */
    public BlockJob job(int blockSize, int tasks) {
        return new BlockJob(TestSpark.context(), model, store, TestModel.SAMPLES, blockSize, tasks);
    }
}
