package dev.gptq.report;

import ai.djl.Device;
import dev.gptq.compensate.KernelGroup;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.ErrorCompensationConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.testing.M1;
import dev.gptq.testing.Models;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class RunEstimateTest {
    private static final ForwardCost FORWARD = new ForwardCost(0.01, 1000, 10);

    @Test
    void compensationTakesItsSamplesThroughAllPassesOnAllSlots() {
        RunEstimate estimate = estimate(new ErrorCompensationConfig(64, 0.01), new CompensationCost(3, 0.5), 100);

        assertThat(estimate.compensated()).isEqualTo(64);
        // Two seconds for each pass, and 64 samples of half a second on four slots.
        assertThat(estimate.compensateSeconds()).isCloseTo(6 + 8, within(1e-9));
    }

    @Test
    void compensationTakesNoMoreSamplesThanThereAre() {
        RunEstimate estimate = estimate(new ErrorCompensationConfig(64, 0.01), new CompensationCost(1, 0.5), 40);

        assertThat(estimate.compensated()).isEqualTo(40);
        assertThat(estimate.compensateSeconds()).isCloseTo(2 + 5, within(1e-9));
    }

    @Test
    void everyPassIsCountedWhetherItIsMeasuredOrNot() {
        Graph graph = M1.graph();
        SampleBatch batch = new SampleBatch(0, 8, Map.of("input", Models.random(1, 8, 1, 28, 28)), null);
        List<KernelGroup> groups = KernelGroup.of(graph, ComparePoints.of(graph));

        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu())) {
            CompensationCost none = CompensationCost.measure(executor, List.of(), batch);
            CompensationCost two = CompensationCost.measure(executor, List.of(groups, groups), batch);

            assertThat(none).isEqualTo(new CompensationCost(0, 0));
            assertThat(two.passes()).isEqualTo(2);
            assertThat(two.seconds()).isBetween(1e-5, 10.0);
        }
    }

    @Test
    void withoutCompensationThereIsNothingToTakeTime() {
        RunEstimate estimate = estimate(null, null, 100);

        assertThat(estimate.compensated()).isZero();
        assertThat(estimate.compensateSeconds()).isZero();
    }

    private static RunEstimate estimate(ErrorCompensationConfig config, CompensationCost cost, long calibration) {
        RunConfig run = RunConfig.builder()
                .setModel("model.onnx")
                .setCalibration(DatasetConfig.of("samples.parquet", Map.of("x", InputMapping.of("x"))))
                .setOutput(new OutputConfig("run", false))
                .setGptq(GradientPTQConfig.builder()
                        .setNEpochs(0)
                        .optErrorCompensationConfig(config)
                        .build())
                .build();
        return new RunEstimate(run, FORWARD, cost, calibration, calibration, 4);
    }
}
