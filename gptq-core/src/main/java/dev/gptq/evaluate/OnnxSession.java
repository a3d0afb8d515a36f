package dev.gptq.evaluate;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.graph.TensorData;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.onnx.RuntimeTensors;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One model in ONNX Runtime, run on one thread. Sessions set {@code session.x64quantprecision}: on x64 processors without
 * VNNI, ONNX Runtime's kernels for uint8 activations and int8 weights add pairs of products in saturating int16, so large
 * sums come out wrong; with the setting it multiplies uint8 by uint8, which is exact and slower. Processors with VNNI and
 * other architectures ignore it.
 */
public final class OnnxSession implements AutoCloseable {
    private static final String EXACT_U8S8_ON_X64 = "session.x64quantprecision";

    private final String name;
    private final OrtEnvironment environment;
    private final OrtSession session;

    /**
     * Loads a model.
     *
     * @param name what messages call it
     * @throws GptqException UNSUPPORTED_MODEL with what ONNX Runtime says of it
     */
    public OnnxSession(byte[] model, String name) {
        this(OnnxModel.of(model), name);
    }

    /** As the other one, for a model with constants beside its file. */
    public OnnxSession(OnnxModel model, String name) {
        this.name = name;
        this.environment = OrtEnvironment.getEnvironment();
        Map<String, OnnxTensorLike> outside = new LinkedHashMap<>();
        try (OrtSession.SessionOptions options = options()) {
            for (Map.Entry<String, TensorData> constant : model.outside().entrySet()) {
                outside.put(constant.getKey(), RuntimeTensors.toRuntime(environment, constant.getValue()));
            }
            if (!outside.isEmpty()) {
                options.addExternalInitializers(outside);
            }
            this.session = environment.createSession(model.file(), options);
        } catch (OrtException e) {
            throw new GptqException(
                    ErrorCode.UNSUPPORTED_MODEL,
                    "Cannot load the " + name + " model: ONNX Runtime says: " + oneLine(e)
                            + ". Check that this version of ONNX Runtime supports the model's opset.",
                    e);
        } finally {
            // The session has copies.
            outside.values().forEach(OnnxTensorLike::close);
        }
    }

    /** The options of every session: one thread, exact integer products, errors only in the log. The caller closes them. */
    static OrtSession.SessionOptions options() throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(1);
        options.setInterOpNumThreads(1);
        options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
        options.addConfigEntry(EXACT_U8S8_ON_X64, "1");
        return options;
    }

    /**
     * Runs the model; inputs that it does not have are left out. Outputs in model order.
     *
     * @throws GptqException BAD_INPUT with what ONNX Runtime says of the inputs; UNSUPPORTED_MODEL for outputs that are no
     *     numbers
     */
    public Map<String, ModelOutput> run(Map<String, TensorData> inputs) {
        Map<String, OnnxTensorLike> feeds = new LinkedHashMap<>();
        try {
            addFeeds(inputs, feeds);
            try (OrtSession.Result result = session.run(feeds)) {
                Map<String, ModelOutput> outputs = new LinkedHashMap<>();
                for (Map.Entry<String, OnnxValue> output : result) {
                    outputs.put(output.getKey(), read(output.getKey(), output.getValue()));
                }
                return outputs;
            }
        } catch (OrtException e) {
            throw notRun(inputs, e);
        } finally {
            feeds.values().forEach(OnnxTensorLike::close);
        }
    }

    /** Nanoseconds that ONNX Runtime takes for the inputs. */
    long nanosOf(Map<String, TensorData> inputs) {
        Map<String, OnnxTensorLike> feeds = new LinkedHashMap<>();
        try {
            addFeeds(inputs, feeds);
            long begin = System.nanoTime();
            session.run(feeds).close();
            return System.nanoTime() - begin;
        } catch (OrtException e) {
            throw notRun(inputs, e);
        } finally {
            feeds.values().forEach(OnnxTensorLike::close);
        }
    }

    private void addFeeds(Map<String, TensorData> inputs, Map<String, OnnxTensorLike> feeds) throws OrtException {
        for (Map.Entry<String, TensorData> input : inputs.entrySet()) {
            if (session.getInputNames().contains(input.getKey())) {
                feeds.put(input.getKey(), RuntimeTensors.toRuntime(environment, input.getValue()));
            }
        }
    }

    private GptqException notRun(Map<String, TensorData> inputs, OrtException cause) {
        return new GptqException(
                ErrorCode.BAD_INPUT,
                "Cannot run the " + name + " model on " + inputs + ": ONNX Runtime says: " + oneLine(cause)
                        + ". Check names, shapes and types of the model's inputs.",
                cause);
    }

    private ModelOutput read(String output, OnnxValue value) {
        if (!(value instanceof OnnxTensor tensor)) {
            throw GptqException.unsupported(
                    "Cannot evaluate output '%s' of the %s model: it is a %s. Only tensors can be compared.",
                    output, name, value.getType());
        }
        TensorInfo info = tensor.getInfo();
        double[] values = values(tensor, info.type);
        if (values == null) {
            throw GptqException.unsupported(
                    "Cannot evaluate output '%s' of the %s model: it holds %s. Only numbers can be compared.",
                    output, name, info.type);
        }
        return new ModelOutput(info.getShape(), values, isFloating(info.type));
    }

    private static boolean isFloating(OnnxJavaType type) {
        return type == OnnxJavaType.FLOAT || type == OnnxJavaType.DOUBLE;
    }

    private static double[] values(OnnxTensor tensor, OnnxJavaType type) {
        switch (type) {
            case FLOAT:
                FloatBuffer floats = tensor.getFloatBuffer();
                double[] widened = new double[floats.remaining()];
                for (int i = 0; i < widened.length; i++) {
                    widened[i] = floats.get(i);
                }
                return widened;
            case DOUBLE:
                DoubleBuffer doubles = tensor.getDoubleBuffer();
                double[] copy = new double[doubles.remaining()];
                doubles.get(copy);
                return copy;
            case INT32:
                IntBuffer ints = tensor.getIntBuffer();
                double[] fromInts = new double[ints.remaining()];
                for (int i = 0; i < fromInts.length; i++) {
                    fromInts[i] = ints.get(i);
                }
                return fromInts;
            case INT64:
                LongBuffer longs = tensor.getLongBuffer();
                double[] fromLongs = new double[longs.remaining()];
                for (int i = 0; i < fromLongs.length; i++) {
                    fromLongs[i] = longs.get(i);
                }
                return fromLongs;
            default:
                return null;
        }
    }

    private static String oneLine(OrtException e) {
        return String.valueOf(e.getMessage()).replaceAll("\\s+", " ").trim().replaceAll("\\.$", "");
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime failed to close the " + name + " model.", e);
        }
    }
}
