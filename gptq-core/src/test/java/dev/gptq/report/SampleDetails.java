package dev.gptq.report;

import dev.gptq.calibrate.ActivationHistogram;
import dev.gptq.evaluate.Disagreement;
import dev.gptq.evaluate.Latency;
import dev.gptq.graph.TensorData;
import dev.gptq.train.LearningRates;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** Details shaped like those of a run, to go with {@link SampleMetrics}. */
final class SampleDetails {
    private SampleDetails() {}

    static ReportDetails of(int layers, int steps, String prefix) {
        float[] pixels = new float[28 * 28];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (i / 28) * (i % 28);
        }
        return of(
                layers,
                steps,
                prefix,
                SampleImage.of(TensorData.ofFloats(pixels, 1, 1, 28, 28), new double[] {0}, new double[] {1}));
    }

    static ReportDetails of(int layers, int steps, String prefix, String image) {
        Random random = new Random(5);
        List<RoundingFlips> flips = new ArrayList<>();
        List<ActivationHistogram> activations = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            flips.add(new RoundingFlips(prefix + i, 1000, 50 + random.nextInt(100), 40 + random.nextInt(100)));
            long[] counts = IntStream.range(0, 64)
                    .mapToLong(bin -> (long) (1e6 * Math.exp(-bin / 6.0)))
                    .toArray();
            activations.add(
                    new ActivationHistogram(prefix + i, 8, 0, 0.125, counts, 0, 7.9, 0, 4.5 + i / 10.0, 0.0031));
        }
        Map<String, double[]> rates = new LinkedHashMap<>();
        int points = Math.min(200, steps);
        rates.put(
                "rounding",
                IntStream.range(0, points)
                        .mapToDouble(i -> 0.03 * (1 - i / 250.0))
                        .toArray());
        rates.put("bias", IntStream.range(0, points).mapToDouble(i -> 1e-4).toArray());
        int[] at = IntStream.range(0, points)
                .map(i -> points == 1 ? 0 : i * (steps - 1) / (points - 1))
                .toArray();
        return new ReportDetails(
                List.of(new Latency("float", 0.81, 101), new Latency("gptq", 0.45, 101)),
                new LearningRates(at, rates),
                flips,
                activations,
                List.of(
                        new ReportDetails.Sample(new Disagreement(17, 0.81, 3, 8, 3L), image),
                        new ReportDetails.Sample(new Disagreement(4, 0.35, null, null, null), null)));
    }
}
