package dev.gptq.train;

import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.OptimizerConfig;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The learning rates of a training, by what they train.
 *
 * @param steps some steps, ascending
 * @param rates rates at these steps: of rounding, and of bias and scale where they are trained
 */
public record LearningRates(int[] steps, Map<String, double[]> rates) {
    /**
     * The learning rates of a training of {@code totalSteps} steps.
     *
     * @param points at most so many steps, evenly spread
     */
    public static LearningRates of(GradientPTQConfig config, int totalSteps, int points) {
        int count = Math.min(points, totalSteps);
        int[] steps = new int[count];
        for (int i = 0; i < count; i++) {
            steps[i] = count == 1 ? 0 : (int) ((long) i * (totalSteps - 1) / (count - 1));
        }
        Map<String, double[]> rates = new LinkedHashMap<>();
        optimizers(config)
                .forEach((name, optimizer) -> rates.put(
                        name,
                        Arrays.stream(steps)
                                .mapToDouble(step -> at(optimizer, step, totalSteps))
                                .toArray()));
        return new LearningRates(steps, rates);
    }

    /** The learning rates of one step, by what they train. */
    public static Map<String, Double> at(GradientPTQConfig config, int step, int totalSteps) {
        Map<String, Double> rates = new LinkedHashMap<>();
        optimizers(config).forEach((name, optimizer) -> rates.put(name, at(optimizer, step, totalSteps)));
        return rates;
    }

    private static double at(OptimizerConfig optimizer, int step, int totalSteps) {
        return optimizer.learningRate() * Optimizer.scheduleFactor(optimizer.schedule(), step, totalSteps);
    }

    private static Map<String, OptimizerConfig> optimizers(GradientPTQConfig config) {
        Map<String, OptimizerConfig> optimizers = new LinkedHashMap<>();
        optimizers.put("rounding", config.optimizer());
        OptimizerConfig bias = RoundingTrainer.biasOptimizer(config);
        if (bias != null) {
            optimizers.put("bias", bias);
        }
        OptimizerConfig scale = RoundingTrainer.scaleOptimizer(config);
        if (scale != null) {
            optimizers.put("scale", scale);
        }
        return optimizers;
    }
}
