package dev.gptq.spark.run;

import ai.onnxruntime.OrtEnvironment;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.engine.SamplePlaces;
import dev.gptq.evaluate.FloatModelCheck;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.SamplePlace;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.spark.data.Outcome;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.spark.task.SharedModel;
import java.io.Serializable;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;

/** Number of samples -> what is found out by running them, after the engine has been compared with ONNX Runtime on them. */
record ModelCheckTask(Broadcast<SharedModel> shared, Broadcast<OnnxModel> model, String store)
        implements Function<Integer, Outcome<ModelCheckTask.Found>> {
    /**
     * @param versions of the native libraries
     * @param places of the samples in outputs of layers that do not begin with them
     */
    record Found(TreeMap<String, String> versions, Map<String, SamplePlace> places) implements Serializable {}

    @Override
    public Outcome<Found> call(Integer samples) {
        return Outcome.of(() -> {
            try (ExecutorModels.Lease models = ExecutorModels.lease(shared.value())) {
                GraphExecutor floatModel = models.floatModelOnCpu();
                SampleBatch batch = models.read(store, 0, samples);
                FloatModelCheck.check(model.value(), floatModel, batch);
                Set<String> outputs = ComparePoints.of(floatModel.graph()).stream()
                        .map(ComparePoint::output)
                        .collect(Collectors.toSet());
                return new Found(versions(), SamplePlaces.find(floatModel, outputs, batch));
            }
        });
    }

    private static TreeMap<String, String> versions() {
        TreeMap<String, String> versions = new TreeMap<>();
        versions.put("pytorch", Engines.version());
        versions.put("onnxruntime", OrtEnvironment.getEnvironment().getVersion());
        versions.put("java", System.getProperty("java.version"));
        versions.put("architecture", System.getProperty("os.arch"));
        String capability = System.getenv("ATEN_CPU_CAPABILITY");
        versions.put("cpu_capability", capability == null ? "highest" : capability);
        return versions;
    }
}
