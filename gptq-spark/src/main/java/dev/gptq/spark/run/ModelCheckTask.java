package dev.gptq.spark.run;

import ai.onnxruntime.OrtEnvironment;
import dev.gptq.engine.Engines;
import dev.gptq.evaluate.FloatModelCheck;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.spark.data.Outcome;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.spark.task.SharedModel;
import java.util.TreeMap;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;

/** Number of samples -> versions of the native libraries, after the engine has been compared with ONNX Runtime on them. */
record ModelCheckTask(Broadcast<SharedModel> shared, Broadcast<OnnxModel> model, String store)
        implements Function<Integer, Outcome<TreeMap<String, String>>> {
    @Override
    public Outcome<TreeMap<String, String>> call(Integer samples) {
        return Outcome.of(() -> {
            try (ExecutorModels.Lease models = ExecutorModels.lease(shared.value())) {
                FloatModelCheck.check(model.value(), models.floatModelOnCpu(), models.read(store, 0, samples));
            }
            TreeMap<String, String> versions = new TreeMap<>();
            versions.put("pytorch", Engines.version());
            versions.put("onnxruntime", OrtEnvironment.getEnvironment().getVersion());
            versions.put("java", System.getProperty("java.version"));
            versions.put("architecture", System.getProperty("os.arch"));
            String capability = System.getenv("ATEN_CPU_CAPABILITY");
            versions.put("cpu_capability", capability == null ? "highest" : capability);
            return versions;
        });
    }
}
