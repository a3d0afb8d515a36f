package dev.gptq.report;

import dev.gptq.calibrate.LeftInFloat;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Metrics shaped like those of a run, for any number of layers and steps. */
final class SampleMetrics {
    private SampleMetrics() {}

    static RunMetrics of(int layers, int steps, String prefix) {
        Random random = new Random(7);
        List<RunMetrics.Layer> list = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            double ptq = 22 - 14.0 * i / layers + 2 * random.nextDouble();
            double weight = 0.02 * StrictMath.exp(4.0 * i / layers + random.nextDouble());
            list.add(new RunMetrics.Layer(prefix + i, 4, weight, ptq, ptq + 3 + 4 * random.nextDouble()));
        }
        Map<String, Double> timing = new LinkedHashMap<>();
        timing.put("prepare_s", 0.8);
        timing.put("calibrate_s", 6.4);
        timing.put("hessian_s", 11.2);
        timing.put("train_s", 74.9);
        timing.put("export_s", 0.3);
        timing.put("evaluate_s", 8.1);
        timing.put("total_s", 101.7);
        return new RunMetrics(
                new RunMetrics.ModelMetrics(0.9021, null, null, null, 395_466L),
                new RunMetrics.ModelMetrics(0.5721, 3.25, 0.81234, 0.5805, 109_402L),
                new RunMetrics.ModelMetrics(0.8736, 12.5, 0.97261, 0.9115, 109_402L),
                timing,
                new RunMetrics.EngineAgreement(1.0, 0.9998),
                training(steps, random),
                list,
                List.of(new LeftInFloat("scan", "Scan", "the engine lacks it")));
    }

    private static RunMetrics.Training training(int steps, Random random) {
        double[] loss = new double[steps];
        double[] distillation = new double[steps];
        double[] regularization = new double[steps];
        for (int step = 0; step < steps; step++) {
            double progress = (double) step / steps;
            distillation[step] = 0.35 * StrictMath.exp(-3 * progress) * (0.9 + 0.2 * random.nextDouble()) + 0.02;
            regularization[step] = progress < 0.2 ? 9.0 : 9.0 * StrictMath.exp(-9 * (progress - 0.2));
            loss[step] = distillation[step] + regularization[step];
        }
        return new RunMetrics.Training(steps, loss, distillation, regularization);
    }
}
