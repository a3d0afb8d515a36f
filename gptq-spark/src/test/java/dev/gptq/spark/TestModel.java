package dev.gptq.spark;

import dev.gptq.config.DatasetConfig;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigBuilder;
import dev.gptq.config.TrainingConfig;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.onnx.OnnxWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** A convolutional classifier of 8x8 images that runs in no time, a dataset for it, and configurations. */
public final class TestModel {
    public static final int SAMPLES = 72;
    public static final List<String> LAYERS = List.of("conv1", "conv2", "classes");

    private static final StructType TABLE = new StructType()
            .add("id", DataTypes.LongType)
            .add("image", DataTypes.BinaryType)
            .add("label", DataTypes.IntegerType);

    private TestModel() {}

    public static Graph graph() {
        Random random = new Random(5);
        Map<String, TensorData> constants = new LinkedHashMap<>();
        constants.put("w1", random(random, 6, 1, 3, 3));
        constants.put("b1", random(random, 6));
        constants.put("w2", random(random, 6, 6, 3, 3));
        constants.put("b2", random(random, 6));
        constants.put("w3", random(random, 4, 6));
        constants.put("b3", random(random, 4));
        Map<String, java.io.Serializable> padded =
                Map.of("pads", new long[] {1, 1, 1, 1}, "strides", new long[] {2, 2});
        List<Node> nodes = List.of(
                new Node("conv1", "Conv", List.of("input", "w1", "b1"), List.of("c1"), padded),
                new Node("relu1", "Relu", List.of("c1"), List.of("r1"), Map.of()),
                new Node("conv2", "Conv", List.of("r1", "w2", "b2"), List.of("c2"), padded),
                new Node("relu2", "Relu", List.of("c2"), List.of("r2"), Map.of()),
                new Node("pool", "GlobalAveragePool", List.of("r2"), List.of("p"), Map.of()),
                new Node("flatten", "Flatten", List.of("p"), List.of("f"), Map.of()),
                new Node("classes", "Gemm", List.of("f", "w3", "b3"), List.of("output"), Map.of("transB", 1L)));
        return new Graph(
                "tiny",
                13,
                List.of(new ValueInfo("input", ElementType.FLOAT32, new long[] {-1, 1, 8, 8})),
                List.of(new ValueInfo("output", ElementType.FLOAT32, new long[] {-1, 4})),
                constants,
                nodes);
    }

    /** A network of linear layers with more than 2^20 parameters. */
    public static Graph wideGraph() {
        Random random = new Random(6);
        Map<String, TensorData> constants = new LinkedHashMap<>();
        constants.put("w1", random(random, 1024, 64));
        constants.put("w2", random(random, 1056, 1024));
        constants.put("w3", random(random, 4, 1056));
        Map<String, java.io.Serializable> transposed = Map.of("transB", 1L);
        List<Node> nodes = List.of(
                new Node("flatten", "Flatten", List.of("input"), List.of("f"), Map.of()),
                new Node("wide1", "Gemm", List.of("f", "w1"), List.of("c1"), transposed),
                new Node("relu1", "Relu", List.of("c1"), List.of("r1"), Map.of()),
                new Node("wide2", "Gemm", List.of("r1", "w2"), List.of("c2"), transposed),
                new Node("relu2", "Relu", List.of("c2"), List.of("r2"), Map.of()),
                new Node("classes", "Gemm", List.of("r2", "w3"), List.of("output"), transposed));
        return new Graph("wide", 13, graph().inputs(), graph().outputs(), constants, nodes);
    }

    private static TensorData random(Random random, long... shape) {
        float[] values = new float[(int) TensorData.elementCount(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * 0.5f;
        }
        return TensorData.ofFloats(values, shape);
    }

    public static void writeModel(Path file) throws IOException {
        Files.write(file, OnnxWriter.write(graph()));
    }

    public static void writeWideModel(Path file) throws IOException {
        Files.write(file, OnnxWriter.write(wideGraph()));
    }

    /** Images with a gradient whose direction depends on the label, plus noise. */
    public static void writeSamples(Path folder, int files) {
        Random random = new Random(9);
        List<Row> rows = new ArrayList<>();
        for (int sample = 0; sample < SAMPLES; sample++) {
            byte[] pixels = new byte[64];
            for (int i = 0; i < pixels.length; i++) {
                int slope = sample % 2 == 0 ? i / 8 : i % 8;
                pixels[i] = (byte) (slope * 20 + random.nextInt(100));
            }
            rows.add(RowFactory.create((long) sample, pixels, sample % 4));
        }
        TestSpark.session()
                .createDataFrame(rows, TABLE)
                .repartition(files)
                .write()
                .mode("overwrite")
                .parquet(folder.toString());
    }

    public static DatasetConfig dataset(Path folder) {
        InputMapping mapping =
                new InputMapping("image", "uint8", null, 1.0 / 255, new double[] {0.3}, new double[] {0.3});
        return new DatasetConfig(folder.toString(), "parquet", Map.of("input", mapping), "label", "id", null);
    }

    /** Two epochs of nine steps, checkpoints every five; model.onnx and data lie in {@code folder}. */
    public static RunConfigBuilder config(Path folder, Path output) {
        return RunConfig.builder()
                .setModel(folder.resolve("model.onnx").toString())
                .setCalibration(dataset(folder.resolve("data")))
                .setGptq(gptq(2))
                .optTraining(new TrainingConfig(8, 4, 5, 2))
                .optDevice("cpu")
                .setOutput(new OutputConfig(output.toString(), false));
    }

    public static GradientPTQConfig gptq(int epochs) {
        return GradientPTQConfig.builder()
                .setNEpochs(epochs)
                .optHessianWeightsConfig(GPTQHessianScoresConfig.perSampleDefaults())
                .build();
    }
}
