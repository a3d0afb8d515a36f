package dev.gptq.export;

import ai.djl.Device;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.calibrate.StatisticsCollector;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.onnx.OnnxReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/** A test model, quantized by rounding to nearest; thresholds come from the first 32 calibration images. */
public record QuantizedModel(
        byte[] floatFile, GraphExecutor executor, QuantizationPlan plan, List<QuantizedLayer> layers, byte[] file)
        implements AutoCloseable {
    private static final int PIXELS = 28 * 28;
    private static final int CALIBRATION_IMAGES = 32;
    private static final float MEAN = 0.2860f;
    private static final float DEVIATION = 0.3530f;

    public static QuantizedModel of(String model, QuantizationConfig config) {
        byte[] floatFile = resource("/models/" + model);
        Graph prepared = GraphPreparation.prepare(OnnxReader.read(floatFile, model), config.preparation());
        GraphExecutor executor = new GraphExecutor(prepared, Device.cpu());
        QuantizationPlan plan = PlanBuilder.build(
                prepared, new StatisticsCollector(executor).collect(images(0, CALIBRATION_IMAGES)), config);
        List<QuantizedLayer> layers = PlanBuilder.roundToNearest(prepared, plan);
        byte[] file = QdqExporter.export(prepared, plan, layers, config.opset());
        return new QuantizedModel(floatFile, executor, plan, layers, file);
    }

    /** {@code size} calibration images of Fashion-MNIST (MIT licence) from {@code first}, normalised, without labels. */
    public static SampleBatch images(int first, int size) {
        float[] values = new float[size * PIXELS];
        try (InputStream gzip =
                new GZIPInputStream(QuantizedModel.class.getResourceAsStream("/models/calibration-images.gz"))) {
            gzip.skipNBytes((long) first * PIXELS);
            byte[] pixels = gzip.readNBytes(values.length);
            for (int i = 0; i < values.length; i++) {
                values[i] = ((pixels[i] & 0xff) / 255f - MEAN) / DEVIATION;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new SampleBatch(first, size, Map.of("input", TensorData.ofFloats(values, size, 1, 28, 28)), null);
    }

    private static byte[] resource(String path) {
        try (InputStream stream = QuantizedModel.class.getResourceAsStream(path)) {
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        executor.close();
    }
}
