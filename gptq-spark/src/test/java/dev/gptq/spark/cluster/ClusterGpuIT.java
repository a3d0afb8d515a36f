package dev.gptq.spark.cluster;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

import static org.assertj.core.api.Assertions.assertThat;

/** How GPUs get from a discovery script to tasks. The script pretends: no test here computes on a GPU. */
@Tag("cluster")
@DisabledOnOs(OS.WINDOWS)
@ExtendWith(SharedCluster.Resolver.class)
class ClusterGpuIT {
    private final SharedCluster cluster;

    ClusterGpuIT(SharedCluster cluster) {
        this.cluster = cluster;
    }

    @Test
    void underDynamicAllocationStagesThatComputeGetExecutorsOfTheirOwn() throws Exception {
        Map<String, String> settings = Map.of(
                "spark.dynamicAllocation.enabled", "true",
                "spark.dynamicAllocation.shuffleTracking.enabled", "true",
                "spark.dynamicAllocation.initialExecutors", "1",
                "spark.dynamicAllocation.minExecutors", "1",
                "spark.scheduler.minRegisteredResourcesRatio", "0",
                "spark.gptq.executor.resource.gpu.amount", "1");
        try (ClusterApplication application = cluster.start(2, 1, settings)) {
            List<String> events = application.devices(1);

            assertThat(events)
                    .filteredOn(line -> line.startsWith("device "))
                    .hasSize(4)
                    .allMatch(line -> line.startsWith("device gpu("));
            assertThat(events).filteredOn(line -> line.startsWith("unplaced")).containsOnly("unplaced []");
        }
    }

    @Test
    void stagesThatComputeGetGpusAndOthersDoNotAskForThem() throws Exception {
        Map<String, String> settings = Map.of("spark.executor.resource.gpu.amount", "2");
        try (ClusterApplication application = cluster.start(1, 2, settings)) {
            List<String> whole = application.devices(1);
            assertThat(whole).contains("device gpu(0)", "device gpu(1)").doesNotContain("device cpu()");
            assertThat(whole).filteredOn(line -> line.startsWith("unplaced")).containsOnly("unplaced []");
            assertThat(application.devices(0.5))
                    .filteredOn(line -> line.startsWith("device "))
                    .hasSize(4);

            List<String> refused = application.run(new ClusterRun("no-cuda", "job").onDevice("gpu"));

            assertThat(refused.get(refused.size() - 1))
                    .startsWith("failed CLUSTER Cannot compute on GPU ")
                    .contains("finds no CUDA", "-Pcuda", "device: cpu");
            assertThat(cluster.folder().resolve("no-cuda")).doesNotExist();
        }
    }
}
