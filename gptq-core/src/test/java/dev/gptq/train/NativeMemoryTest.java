package dev.gptq.train;

import ai.djl.Device;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.Graph;
import dev.gptq.hessian.HessianScorer;
import dev.gptq.hessian.LossWeights;
import dev.gptq.testing.CalibrationImages;
import dev.gptq.testing.M1;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Native arrays end with the scope of what computed them. */
class NativeMemoryTest {
    private static final int SAMPLES = 4;

    @Test
    void scoringAndTrainingLeaveNoArrayBehind() {
        Graph graph = M1.graph();
        QuantizationPlan plan = M1.plan();
        GradientPTQConfig config = GradientPTQConfig.defaults(1);
        LossWeights weights = LossWeights.equal(M1.LAYERS.size());
        int before = Engines.liveArrays();
        try (GraphExecutor model = new GraphExecutor(graph, Device.cpu())) {
            int constants = Engines.liveArrays() - before;
            new HessianScorer(model, GPTQHessianScoresConfig.perSampleDefaults(), 0)
                    .score(CalibrationImages.batch(0, SAMPLES));
            new GradientComputer(model, plan, config, weights)
                    .compute(
                            new RoundingTrainer(graph, plan, config, weights, 1).parameters(),
                            new MicroBatch(
                                    CalibrationImages.batch(0, SAMPLES),
                                    new float[SAMPLES][M1.LAYERS.size()],
                                    1,
                                    null,
                                    SAMPLES));

            // A kernel and a bias for each layer.
            assertThat(constants).isEqualTo(2 * M1.LAYERS.size());
            assertThat(Engines.liveArrays()).isEqualTo(before + constants);
        }
        assertThat(Engines.liveArrays()).isEqualTo(before);
    }
}
