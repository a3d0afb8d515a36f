package dev.gptq.spark.task;

import ai.djl.Device;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.resource.TaskResourceProfile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class DeviceChoiceTest {
    private final SparkConf conf = new SparkConf(false).set("spark.master", "spark://host:7077");

    @Test
    void cpuNeverAsksForGpus() {
        conf.set("spark.executor.resource.gpu.amount", "2");

        assertThat(choose("cpu").gpus()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"spark://host:7077", "yarn", "k8s://https://host", "local-cluster[2,1,1024]"})
    void executorsWithGpusLendThemToStagesThatCompute(String master) {
        conf.set("spark.master", master).set("spark.executor.resource.gpu.amount", "2");

        ComputeDevices devices = new DeviceChoice(conf, false, Map.of()).choose("auto", 0.25);

        assertThat(devices.gpus()).isTrue();
        assertThat(devices.profile()).isInstanceOf(TaskResourceProfile.class);
        assertThat(devices.profile().taskResourcesJMap().get("gpu").amount()).isEqualTo(0.25);
        assertThat(devices.profile().taskResourcesJMap().get("cpus").amount()).isEqualTo(1);
    }

    @Test
    void tasksThatAllAskForGpusNeedNoProfile() {
        conf.set("spark.executor.resource.gpu.amount", "1").set("spark.task.resource.gpu.amount", "0.5");

        assertThat(choose("gpu").gpus()).isTrue();
        assertThat(choose("gpu").profile()).isNull();
        assertThat(choose("gpu").reason()).contains("spark.task.resource.gpu.amount");
    }

    @Test
    void aClusterManagerWithoutProfilesFallsBackWithAReason() {
        conf.set("spark.master", "slurm://host").set("spark.executor.resource.gpu.amount", "1");

        assertThat(choose("auto").gpus()).isFalse();
        assertThat(choose("auto").reason()).contains("slurm://host", "spark.task.resource.gpu.amount");
        assertThat(refusal(false, Map.of())).contains("stage-level scheduling", "spark.task.resource.gpu.amount");
    }

    @Test
    void underDynamicAllocationStagesThatComputeGetExecutorsOfTheirOwn() {
        conf.set("spark.gptq.executor.resource.gpu.amount", "1")
                .set("spark.gptq.executor.resource.gpu.discoveryScript", "/opt/find-gpus.sh")
                .set("spark.executor.cores", "4")
                .set("spark.executor.memory", "8g");
        assertThat(choose("auto").reason()).contains("spark.dynamicAllocation.enabled");

        conf.set("spark.dynamicAllocation.enabled", "true");

        var executors = choose("gpu").profile().executorResourcesJMap();
        assertThat(executors.get("gpu").amount()).isEqualTo(1);
        assertThat(executors.get("gpu").discoveryScript()).isEqualTo("/opt/find-gpus.sh");
        assertThat(executors.get("cores").amount()).isEqualTo(4);
        assertThat(executors.get("memory").amount()).isEqualTo(8192);
    }

    @Test
    void gpuWithoutGpusIsRefusedWithTheSettingsToMake() {
        assertThat(choose("auto").gpus()).isFalse();
        assertThat(refusal(false, Map.of()))
                .contains(
                        "executors have no GPUs",
                        "spark.executor.resource.gpu.amount",
                        "discoveryScript",
                        "device: cpu");
        assertThat(refusal(true, Map.of())).contains("in local mode", "spark.driver.resource.gpu.amount");
    }

    @Test
    void inLocalModeTasksShareTheDriversGpus() {
        ResourceInformation gpus = new ResourceInformation("gpu", new String[] {"3", "5"});

        ComputeDevices devices = new DeviceChoice(conf, true, Map.of("gpu", gpus)).choose("gpu", 1);

        assertThat(devices.shared()).containsExactly("3", "5");
        assertThat(devices.profile()).isNull();
        assertThat(devices.ofTask()).isEqualTo(Device.gpu(3));
    }

    @ParameterizedTest
    @CsvSource({"0, , 0", "7, , 7", "7, '2,7', 1", "2, '2, 7', 0", "GPU-af, 'GPU-1c,GPU-af', 1"})
    void anAddressIsTheNumberThatCudaKnows(String address, String visible, int device) {
        assertThat(ComputeDevices.device(address, visible)).isEqualTo(Device.gpu(device));
    }

    @ParameterizedTest
    @CsvSource({"0, '2,7', CUDA_VISIBLE_DEVICES", "GPU-af, , not a device number"})
    void anAddressThatCudaDoesNotKnowIsRefused(String address, String visible, String reason) {
        GptqException failure =
                catchThrowableOfType(GptqException.class, () -> ComputeDevices.device(address, visible));

        assertThat(failure.code()).isEqualTo(ErrorCode.CLUSTER);
        assertThat(failure).hasMessageContainingAll(address, reason);
    }

    private ComputeDevices choose(String device) {
        return new DeviceChoice(conf, false, Map.of()).choose(device, 1);
    }

    private String refusal(boolean local, Map<String, ResourceInformation> driver) {
        GptqException failure =
                catchThrowableOfType(GptqException.class, () -> new DeviceChoice(conf, local, driver).choose("gpu", 1));
        assertThat(failure.code()).isEqualTo(ErrorCode.BAD_INPUT);
        return failure.getMessage();
    }
}
