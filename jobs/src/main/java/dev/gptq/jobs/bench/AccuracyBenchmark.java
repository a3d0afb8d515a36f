package dev.gptq.jobs.bench;

import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import dev.gptq.report.RunMetrics;
import dev.gptq.spark.run.GptqPipeline;
import dev.gptq.spark.run.ProgressListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/**
 * Top-1 of {@code recipe: accurate} on the whole test set of Fashion-MNIST: power-of-two activations, 1,024 calibration
 * images, mean over seeds. The limits are Model Compression Toolkit's best results on the same models, images, bits and
 * epochs; half a point more at 2 bits, and the noise of its single runs less elsewhere. Takes the better part of an hour.
 */
final class AccuracyBenchmark implements Benchmark {
    private static final int MOST_SEEDS = 3;
    private static final double SUPERIOR = 0.005;
    private static final double NOISE = -0.005;

    private static final List<Case> CASES = List.of(
            new Case(BenchModel.M1, 2, 30, 0.8834 + SUPERIOR),
            new Case(BenchModel.M1, 3, 10, 0.8946 + NOISE),
            new Case(BenchModel.M1, 4, 10, 0.8975 + NOISE),
            new Case(BenchModel.M1, 8, 10, 0.9023 + NOISE),
            new Case(BenchModel.M2, 2, 20, 0.9138 + SUPERIOR),
            new Case(BenchModel.M2, 3, 20, 0.9264 + NOISE),
            new Case(BenchModel.M2, 4, 10, 0.9298 + NOISE),
            new Case(BenchModel.M2, 8, 5, 0.9297 + NOISE));

    private record Case(BenchModel model, int bits, int epochs, double least) {
        String name() {
            return "accuracy." + model.id() + ".w" + bits;
        }
    }

    @Override
    public List<Measurement> run(BenchContext context) throws IOException {
        Path folder = Files.createTempDirectory("gptq-accuracy");
        Path images = folder.resolve("test.npz");
        FashionMnistTestSet.write(images);
        int seeds = Math.min(MOST_SEEDS, context.runs());
        List<Measurement> measurements = new ArrayList<>();
        try (SparkSession spark = session()) {
            for (Case each : CASES) {
                double sum = 0;
                for (int seed = 0; seed < seeds; seed++) {
                    RunConfig config = config(each, seed, context.home(), images, folder.resolve("run"));
                    RunMetrics metrics = GptqPipeline.run(config, spark, ProgressListener.NONE)
                            .metrics();
                    sum += metrics.gptq().top1();
                    context.progress()
                            .accept(String.format(
                                    Locale.ROOT,
                                    "%s, seed %d: float %.4f, rounded to nearest %.4f, learned %.4f",
                                    each.name(),
                                    seed,
                                    metrics.floatModel().top1(),
                                    metrics.ptq().top1(),
                                    metrics.gptq().top1()));
                }
                measurements.add(new Measurement(
                        each.name(),
                        sum / seeds,
                        "top-1",
                        Limit.atLeast(each.least()),
                        "recipe accurate, %d epochs, mean of %d seeds, 10,000 images".formatted(each.epochs(), seeds)));
            }
        }
        return measurements;
    }

    private static RunConfig config(Case each, int seed, Path home, Path images, Path output) {
        String yaml =
                """
                model: "%s"
                data:
                  calibration:
                    path: "%s"
                    id: id
                    inputs:
                      input: {column: image, type: uint8, shape: [1, 28, 28], scale: 0.00392156862745098, mean: 0.2860, std: 0.3530}
                  evaluation:
                    path: "%s"
                    inputs:
                      input: {column: image, scale: 0.00392156862745098, mean: 0.2860, std: 0.3530}
                    label: label
                recipe: accurate
                quantization: {preset: imx500, weights: {bits: %d}}
                gptq: {n_epochs: %d}
                seed: %d
                output: {path: "%s", overwrite: true}
                """
                        .formatted(
                                each.model().file(home),
                                home.resolve("conf/quickstart/calibration.parquet"),
                                images,
                                each.bits(),
                                each.epochs(),
                                seed,
                                output);
        return RunConfigReader.read(yaml, "bench accuracy", List.of());
    }

    private static SparkSession session() {
        SparkConf conf = new SparkConf();
        conf.setIfMissing("spark.master", "local[*]");
        conf.setIfMissing("spark.app.name", "gptq bench accuracy");
        conf.setIfMissing("spark.ui.showConsoleProgress", "false");
        return SparkSession.builder().config(conf).getOrCreate();
    }
}
