package dev.gptq.jobs.bench;

import dev.gptq.GptqException;
import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.onnx.OnnxReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;

/** The two models that come with the project, prepared as a run would, and samples for them. */
enum BenchModel {
    /** Four convolutions and a linear layer. */
    M1("conf/quickstart/m1_bn.onnx"),
    /** MobileNetV2 kind, 24 layers. */
    M2("conf/bench/m2_bn.onnx");

    static final String INPUT = "input";
    private static final long SIDE = 28;

    private final String path;

    BenchModel(String path) {
        this.path = path;
    }

    /** As measurements are named. */
    String id() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    Path file(Path home) {
        return home.resolve(path);
    }

    Graph prepared(Path home) {
        Path file = file(home);
        try {
            return GraphPreparation.prepare(
                    OnnxReader.read(Files.readAllBytes(file), file.toString()), PreparationConfig.defaults());
        } catch (IOException e) {
            throw GptqException.io(
                    e, "Cannot read model %s: %s. Restore it from the repository.", file, e.getMessage());
        }
    }

    /** Normally distributed images, the same in every run: the time of no operator depends on what they show. */
    static SampleBatch samples(long first, int size) {
        Random random = new Random(first);
        float[] values = new float[Math.toIntExact(size * SIDE * SIDE)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return new SampleBatch(first, size, Map.of(INPUT, TensorData.ofFloats(values, size, 1, SIDE, SIDE)), null);
    }
}
