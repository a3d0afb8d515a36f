package dev.gptq.export;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.engine.Engines;
import dev.gptq.graph.SampleBatch;
import dev.gptq.train.QuantizedStudent;
import java.nio.FloatBuffer;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class StudentAgreementTest {
    private static final int BATCH = 128;
    private static final int CLASSES = 10;
    private static final double REQUIRED_SHARE = 0.999;

    @ParameterizedTest(name = "{0}, {1} bits, {2}")
    @CsvSource({
        "m1_folded.onnx, 8, onnxruntime, 1024",
        "m1_folded.onnx, 4, imx500, 512",
        "m1_folded.onnx, 2, tensorrt, 512",
        "m2_folded.onnx, 8, imx500, 128"
    })
    void onnxRuntimeAgreesWithTheStudentOnRealImages(String file, int bits, String preset, int images)
            throws Exception {
        QuantizationConfig config = QuantizationConfig.ofPreset(preset);
        QuantizationConfig.Weights weights = config.weights();
        config = config.withWeights(new QuantizationConfig.Weights(
                bits, weights.method(), true, weights.thresholdMethod(), weights.lpNorm()));
        int sameClass = 0;
        int withinOneStep = 0;
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (QuantizedModel model = QuantizedModel.of(file, config);
                OrtSession.SessionOptions options = new OrtSession.SessionOptions();
                OrtSession session = environment.createSession(model.file(), options)) {
            QuantizedStudent student = new QuantizedStudent(model.executor(), model.plan(), model.layers());
            float step = model.plan().activations().stream()
                    .filter(quantizer -> quantizer.tensor().equals("logits"))
                    .map(ActivationQuantizer::grid)
                    .findFirst()
                    .orElseThrow()
                    .scale()[0];
            for (int first = 0; first < images; first += BATCH) {
                SampleBatch batch = QuantizedModel.images(first, BATCH);
                float[] expected = student(student, batch);
                float[] actual = runtime(environment, session, batch);
                for (int sample = 0; sample < BATCH; sample++) {
                    sameClass += classOf(expected, sample) == classOf(actual, sample) ? 1 : 0;
                }
                for (int i = 0; i < expected.length; i++) {
                    withinOneStep += Math.abs(expected[i] - actual[i]) <= 1.001f * step ? 1 : 0;
                }
            }
        }
        assertThat((double) sameClass / images).isGreaterThanOrEqualTo(REQUIRED_SHARE);
        assertThat((double) withinOneStep / (images * CLASSES)).isGreaterThanOrEqualTo(REQUIRED_SHARE);
    }

    private static float[] student(QuantizedStudent student, SampleBatch batch) {
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            return student.run(scope, batch).outputs().get("logits").toFloatArray();
        }
    }

    private static float[] runtime(OrtEnvironment environment, OrtSession session, SampleBatch batch) throws Exception {
        float[] pixels = batch.inputs().get("input").floats();
        try (OnnxTensor tensor = OnnxTensor.createTensor(
                        environment,
                        FloatBuffer.wrap(pixels),
                        batch.inputs().get("input").shape());
                OrtSession.Result result = session.run(Map.of("input", tensor))) {
            FloatBuffer buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
            float[] values = new float[buffer.remaining()];
            buffer.get(values);
            return values;
        }
    }

    private static int classOf(float[] logits, int sample) {
        int best = 0;
        for (int c = 1; c < CLASSES; c++) {
            if (logits[sample * CLASSES + c] > logits[sample * CLASSES + best]) {
                best = c;
            }
        }
        return best;
    }
}
