package dev.gptq.spark.task;

import ai.djl.Device;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.util.Map;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/** The device of the running task: the GPU that Spark gave it, else the CPU. */
final class TaskDevices {
    private static final String GPU = "gpu";

    private TaskDevices() {}

    /** {@code wanted} is auto, cpu or gpu; gpu without one from Spark is an error, auto takes what there is. */
    static Device of(String wanted) {
        if ("cpu".equals(wanted)) {
            return Device.cpu();
        }
        TaskContext context = TaskContext.get();
        Map<String, ResourceInformation> resources = context == null ? Map.of() : context.resourcesJMap();
        if (resources.containsKey(GPU)) {
            return Device.gpu(Integer.parseInt(resources.get(GPU).addresses()[0]));
        }
        if (GPU.equals(wanted)) {
            throw new GptqException(
                    ErrorCode.CLUSTER,
                    "Cannot run on device 'gpu': Spark gave the task no GPU. Set spark.task.resource.gpu.amount and"
                            + " spark.executor.resource.gpu.amount, or device: cpu.");
        }
        return Device.cpu();
    }
}
