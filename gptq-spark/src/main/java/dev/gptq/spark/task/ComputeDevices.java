package dev.gptq.spark.task;

import ai.djl.Device;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.engine.Engines;
import dev.gptq.spark.data.Outcome;
import dev.gptq.spark.data.SparkFailures;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.resource.ResourceProfile;

/**
 * Where the tasks of a run compute: all on CPUs, or all on GPUs. Decided on the driver before any work starts.
 *
 * @param gpus whether tasks compute on GPUs
 * @param profile what stages that compute ask of Spark; null: what every stage asks for
 * @param shared addresses of the GPUs that the tasks of this JVM share, because Spark assigns none to them; else empty
 * @param reason why, one sentence for the log
 */
public record ComputeDevices(boolean gpus, ResourceProfile profile, List<String> shared, String reason)
        implements Serializable {
    static final String GPU = "gpu";

    private static final String VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES";

    public ComputeDevices {
        shared = List.copyOf(shared);
    }

    /** All tasks on CPUs. */
    public static ComputeDevices cpus(String reason) {
        return new ComputeDevices(false, null, List.of(), reason);
    }

    /**
     * What {@code device} (auto, cpu or gpu) means in this application.
     *
     * @param gpusPerTask share of a GPU that a task asks for, at most 1
     * @throws GptqException BAD_INPUT when it is gpu and the application has no GPUs
     */
    public static ComputeDevices of(JavaSparkContext spark, String device, double gpusPerTask) {
        return new DeviceChoice(spark.getConf(), spark.sc().isLocal(), spark.resources()).choose(device, gpusPerTask);
    }

    /** cpu or gpu; part of a result's identity. */
    public String kind() {
        return gpus ? GPU : "cpu";
    }

    /** Makes the stage that computes {@code rdd} ask for what its tasks need. */
    public <T> JavaRDD<T> place(JavaRDD<T> rdd) {
        return profile == null ? rdd : rdd.withResources(profile);
    }

    /** The device of the running task. */
    public Device ofTask() {
        if (!gpus) {
            return Device.cpu();
        }
        TaskContext context = TaskContext.get();
        if (!shared.isEmpty()) {
            int index = context == null ? 0 : context.partitionId() % shared.size();
            return device(shared.get(index), System.getenv(VISIBLE_DEVICES));
        }
        Map<String, ResourceInformation> assigned = context == null ? Map.of() : context.resourcesJMap();
        if (!assigned.containsKey(GPU)) {
            throw new GptqException(
                    ErrorCode.CLUSTER,
                    "Cannot run a task on device 'gpu': Spark gave it none. " + DeviceChoice.CLUSTER_REMEDY);
        }
        return device(assigned.get(GPU).addresses()[0], System.getenv(VISIBLE_DEVICES));
    }

    /**
     * An address of a discovery script -> the device CUDA knows it by: CUDA numbers the devices that CUDA_VISIBLE_DEVICES
     * lists, in their order there.
     */
    static Device device(String address, String visible) {
        if (visible != null && !visible.isBlank()) {
            int index = List.of(visible.strip().split("\\s*,\\s*")).indexOf(address);
            if (index < 0) {
                throw new GptqException(
                        ErrorCode.CLUSTER,
                        "Cannot use GPU '%s': CUDA_VISIBLE_DEVICES is '%s' and hides it. Unset that on the executors."
                                .formatted(address, visible));
            }
            return Device.gpu(index);
        }
        if (!address.matches("\\d{1,4}")) {
            throw new GptqException(
                    ErrorCode.CLUSTER,
                    "Cannot use GPU '%s': its address is not a device number. Use conf/gpu/find-gpus.sh as discovery script."
                            .formatted(address));
        }
        return Device.gpu(Integer.parseInt(address));
    }

    /** Runs a task that opens its device; CLUSTER when it cannot. Does nothing on CPUs. */
    public void check(JavaSparkContext spark) {
        if (!gpus) {
            return;
        }
        try {
            place(spark.parallelize(List.of(this), 1).map(new OpenDevice()))
                    .first()
                    .get();
        } catch (Exception e) {
            throw SparkFailures.translate(e, "open a GPU on the cluster", "See the executors' logs.");
        }
    }

    private static final class OpenDevice implements Function<ComputeDevices, Outcome<String>> {
        @Override
        public Outcome<String> call(ComputeDevices devices) {
            return Outcome.of(() -> {
                Device device = devices.ofTask();
                Engines.requireUsable(device);
                return device.toString();
            });
        }
    }
}
