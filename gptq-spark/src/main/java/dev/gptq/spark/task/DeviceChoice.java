package dev.gptq.spark.task;

import dev.gptq.GptqException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.resource.ExecutorResourceRequests;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;

/**
 * Decides from Spark's settings where tasks compute. Stages ask for GPUs one by one (stage-level scheduling) where the
 * cluster manager can do that, so that decoding and evaluation use every core.
 */
final class DeviceChoice {
    static final String CLUSTER_REMEDY = "Set spark.executor.resource.gpu.amount and"
            + " spark.executor.resource.gpu.discoveryScript (conf/gpu has files for standalone, YARN and Kubernetes), or"
            + " device: cpu.";

    /** GPUs of executors that are started for the stages that compute, under dynamic allocation. */
    private static final String OWN_GPU = "spark.gptq.executor.resource.gpu.";

    private static final String EXECUTOR_GPU = "spark.executor.resource.gpu.";
    private static final String TASK_AMOUNT = "spark.task.resource.gpu.amount";
    private static final String AMOUNT = "amount";

    private final SparkConf conf;
    private final boolean local;
    private final Map<String, ResourceInformation> driver;

    /** {@code driver} holds what the driver has, which in local mode is what tasks have. */
    DeviceChoice(SparkConf conf, boolean local, Map<String, ResourceInformation> driver) {
        this.conf = conf;
        this.local = local;
        this.driver = driver;
    }

    ComputeDevices choose(String device, double gpusPerTask) {
        if (device.equals("cpu")) {
            return ComputeDevices.cpus("device is cpu");
        }
        ComputeDevices found = local ? ofDriver() : ofExecutors(gpusPerTask);
        if (!found.gpus() && device.equals(ComputeDevices.GPU)) {
            throw GptqException.badInput(
                    "Cannot run on device 'gpu': %s. %s",
                    found.reason(),
                    local
                            ? "Set spark.driver.resource.gpu.amount and spark.driver.resource.gpu.discoveryScript"
                                    + " (conf/gpu/find-gpus.sh), or device: cpu."
                            : CLUSTER_REMEDY);
        }
        return found;
    }

    private ComputeDevices ofDriver() {
        ResourceInformation gpus = driver.get(ComputeDevices.GPU);
        if (gpus == null || gpus.addresses().length == 0) {
            return ComputeDevices.cpus("in local mode GPUs are those of the driver, which has none");
        }
        List<String> addresses = Arrays.asList(gpus.addresses());
        return new ComputeDevices(
                true, null, addresses, "in local mode tasks share the driver's GPUs " + String.join(", ", addresses));
    }

    private ComputeDevices ofExecutors(double gpusPerTask) {
        boolean dynamic = conf.getBoolean("spark.dynamicAllocation.enabled", false);
        boolean ownExecutors = amount(OWN_GPU + AMOUNT) > 0;
        if (ownExecutors && dynamic && hasStageLevelScheduling()) {
            return assigned(ownProfile(gpusPerTask), "stages that compute get executors of their own with GPUs");
        }
        if (amount(EXECUTOR_GPU + AMOUNT) == 0) {
            return ComputeDevices.cpus(
                    ownExecutors
                            ? OWN_GPU + AMOUNT
                                    + " needs spark.dynamicAllocation.enabled on standalone, YARN or Kubernetes"
                            : "executors have no GPUs");
        }
        if (amount(TASK_AMOUNT) > 0) {
            return assigned(null, TASK_AMOUNT + " is set, so that tasks of every stage ask for GPUs");
        }
        if (!hasStageLevelScheduling()) {
            return ComputeDevices.cpus("executors have GPUs, but master " + conf.get("spark.master", "")
                    + " has no stage-level scheduling and " + TASK_AMOUNT + " is not set");
        }
        return assigned(taskProfile(gpusPerTask), "stages that compute ask for " + gpusPerTask + " GPU per task");
    }

    private static ComputeDevices assigned(ResourceProfile profile, String reason) {
        return new ComputeDevices(true, profile, List.of(), reason);
    }

    /** Spark has resource profiles on these cluster managers, with and without dynamic allocation. */
    private boolean hasStageLevelScheduling() {
        String master = conf.get("spark.master", "");
        return master.startsWith("spark://")
                || master.startsWith("local-cluster[")
                || master.startsWith("k8s://")
                || master.startsWith("yarn");
    }

    private ResourceProfile taskProfile(double gpusPerTask) {
        return new ResourceProfileBuilder().require(taskRequests(gpusPerTask)).build();
    }

    private TaskResourceRequests taskRequests(double gpusPerTask) {
        return new TaskResourceRequests()
                .cpus(conf.getInt("spark.task.cpus", 1))
                .resource(ComputeDevices.GPU, gpusPerTask);
    }

    private ResourceProfile ownProfile(double gpusPerTask) {
        ExecutorResourceRequests executors = new ExecutorResourceRequests()
                .cores(conf.getInt("spark.executor.cores", 1))
                .memory(conf.get("spark.executor.memory", "1g"))
                .resource(
                        ComputeDevices.GPU,
                        amount(OWN_GPU + AMOUNT),
                        conf.get(OWN_GPU + "discoveryScript", ""),
                        conf.get(OWN_GPU + "vendor", ""));
        if (conf.contains("spark.executor.memoryOverhead")) {
            executors.memoryOverhead(conf.get("spark.executor.memoryOverhead"));
        }
        return new ResourceProfileBuilder()
                .require(executors)
                .require(taskRequests(gpusPerTask))
                .build();
    }

    /** Rounded up, for tasks may ask for a part of a GPU; 0 when the setting is absent. */
    private long amount(String key) {
        return (long) Math.ceil(conf.getDouble(key, 0));
    }
}
