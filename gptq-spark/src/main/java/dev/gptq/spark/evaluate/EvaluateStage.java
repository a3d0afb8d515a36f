package dev.gptq.spark.evaluate;

import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.evaluate.BlockMetrics;
import dev.gptq.evaluate.ModelEvaluator;
import dev.gptq.graph.SampleBatch;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.spark.task.BlockJob;
import dev.gptq.spark.task.BlockTask;
import dev.gptq.spark.task.ExecutorModels;
import java.io.Serializable;
import java.util.List;
import java.util.function.LongConsumer;
import org.apache.spark.broadcast.Broadcast;

/** Float, PTQ and GPTQ model side by side on a sample store. */
public final class EvaluateStage {
    /** Samples per block. */
    public static final int BLOCK_SIZE = 32;

    private EvaluateStage() {}

    /** The models to compare: whole models, and the layers that went into them. */
    public record Models(
            OnnxModel floatModel,
            OnnxModel ptqModel,
            OnnxModel gptqModel,
            QuantizationPlan plan,
            List<QuantizedLayer> ptqLayers,
            List<QuantizedLayer> gptqLayers)
            implements Serializable {
        public Models {
            ptqLayers = List.copyOf(ptqLayers);
            gptqLayers = List.copyOf(gptqLayers);
        }
    }

    /** {@code progress} gets the number of blocks done. */
    public static BlockMetrics run(BlockJob job, Models models, LongConsumer progress) {
        Broadcast<Models> shared = job.spark().broadcast(models);
        try {
            return job.fold(new EvaluateBlock(shared), "evaluate", progress);
        } finally {
            shared.destroy();
        }
    }

    private record EvaluateBlock(Broadcast<Models> shared) implements BlockTask<BlockMetrics> {
        @Override
        public BlockMetrics map(ExecutorModels.Lease models, SampleBatch block) {
            return models.get("evaluator", ModelEvaluator.class, () -> open(models))
                    .evaluate(block);
        }

        private ModelEvaluator open(ExecutorModels.Lease models) {
            Models files = shared.value();
            return new ModelEvaluator(
                    files.floatModel(),
                    files.ptqModel(),
                    files.gptqModel(),
                    models.floatModelOnCpu(),
                    files.plan(),
                    files.ptqLayers(),
                    files.gptqLayers());
        }

        @Override
        public boolean usesDevice() {
            return false;
        }

        @Override
        public BlockMetrics merge(BlockMetrics earlier, BlockMetrics later) {
            return earlier.merge(later);
        }
    }
}
