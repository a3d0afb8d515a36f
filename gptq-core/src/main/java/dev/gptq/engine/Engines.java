package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.TensorData;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/** Opens native memory scopes and moves tensors between the Java heap and the engine. */
public final class Engines {
    private Engines() {}

    /** A new top-level scope on {@code device}; closing it frees every array created in it. Sets intra-op threads to one. */
    public static NDManager newScope(Device device) {
        NDManager scope = NDManager.newBaseManager(device, EngineHolder.ENGINE_NAME);
        NativeLog.hasOnlyErrors();
        PyTorchCalls.useOneThread();
        return scope;
    }

    /** Fails with CLUSTER when the engine cannot compute on {@code device}: without CUDA its calls fail one by one. */
    public static void requireUsable(Device device) {
        if (!device.isGpu()) {
            return;
        }
        Engine engine = Engine.getEngine(EngineHolder.ENGINE_NAME);
        String reason = null;
        if (!engine.hasCapability(StandardCapabilities.CUDA)) {
            reason = "PyTorch " + engine.getVersion() + " finds no CUDA on this machine";
        } else if (device.getDeviceId() >= engine.getGpuCount()) {
            reason = "CUDA has " + engine.getGpuCount() + " devices on this machine";
        }
        if (reason != null) {
            throw new GptqException(
                    ErrorCode.CLUSTER,
                    "Cannot compute on GPU %d: %s. Build the jar with 'mvn -Pcuda package', check the GPU's driver, or set"
                                    .formatted(device.getDeviceId(), reason)
                            + " device: cpu.");
        }
    }

    /** PyTorch's version. */
    public static String version() {
        return Engine.getEngine(EngineHolder.ENGINE_NAME).getVersion();
    }

    /**
     * Whether convolutions on this machine's CPU are widened to whole blocks of channels, because the engine gets incomplete
     * ones wrong where a virtual machine hides the caches of an AMD processor. Sums end in other bits then.
     */
    public static boolean widensConvolutions() {
        return WholeBlocks.areNeeded();
    }

    /** Native arrays that are alive in this JVM, in all scopes: none once every stage has ended. */
    public static int liveArrays() {
        try (NDManager scope = NDManager.newBaseManager(Device.cpu(), EngineHolder.ENGINE_NAME)) {
            return scope.getParentManager().getManagedArrays().size();
        }
    }

    /** Copies tensors to the engine by their names, into a map that may be added to. */
    public static Map<String, NDArray> toArrays(NDManager manager, Map<String, TensorData> tensors) {
        Map<String, NDArray> arrays = new HashMap<>();
        tensors.forEach((name, tensor) -> arrays.put(name, toArray(manager, tensor)));
        return arrays;
    }

    /** Copies a tensor to the engine; types that PyTorch lacks arrive as INT64. */
    public static NDArray toArray(NDManager manager, TensorData tensor) {
        Shape shape = new Shape(tensor.shape());
        return switch (tensor.type()) {
            case FLOAT32 -> manager.create(tensor.floats(), shape);
            case FLOAT64 -> manager.create(tensor.doubles(), shape);
            case INT64, INT4, INT16, UINT16, UINT32, UINT64 -> manager.create(tensor.longs(), shape);
            case INT32 -> manager.create(toInts(tensor.longs()), shape);
            case INT8, UINT8 -> manager.create(ByteBuffer.wrap(tensor.bytes()), shape, toDataType(tensor.type()));
            case BOOL -> manager.create(toBooleans(tensor.bytes()), shape);
        };
    }

    /**
     * A number as an operand of {@code like}'s type that lives as long as {@code manager}. Recorded products and quotients
     * need it: {@code array.mul(3)} of DJL 0.36 closes its operand at once, whose memory the garbage collector may take
     * back before the backward pass reads it.
     */
    public static NDArray scalar(NDManager manager, NDArray like, double value) {
        return like.getDataType() == DataType.FLOAT64 ? manager.create(value) : manager.create((float) value);
    }

    /** Copies an array (float32, float64, boolean or an integer type) to the heap. */
    public static TensorData toTensor(NDArray array) {
        long[] shape = array.getShape().getShape();
        return switch (array.getDataType()) {
            case FLOAT32 -> TensorData.ofFloats(array.toFloatArray(), shape);
            case FLOAT64 -> TensorData.ofDoubles(array.toDoubleArray(), shape);
            case INT64 -> TensorData.ofLongs(ElementType.INT64, array.toLongArray(), shape);
            case INT32 -> TensorData.ofLongs(ElementType.INT32, toLongs(array.toIntArray()), shape);
            case INT8 -> TensorData.ofBytes(ElementType.INT8, array.toByteArray(), shape);
            case UINT8 -> TensorData.ofBytes(ElementType.UINT8, array.toByteArray(), shape);
            case BOOLEAN -> TensorData.ofBytes(ElementType.BOOL, array.toByteArray(), shape);
            default -> throw untransferable(array.getDataType());
        };
    }

    /** Copies an array to the heap as a tensor of {@code type}, which is the array's own or one that INT64 stands for. */
    public static TensorData toTensor(NDArray array, ElementType type) {
        TensorData tensor = toTensor(array);
        return type.isCarried() ? TensorData.ofLongs(type, tensor.longs(), tensor.shape()) : tensor;
    }

    /** Copies an array of numbers to the heap, widened to double. */
    public static double[] toDoubles(NDArray array) {
        try (NDArray doubles = array.toType(DataType.FLOAT64, true)) {
            return doubles.toDoubleArray();
        }
    }

    /** The engine's type for {@code type}: INT64 for those PyTorch lacks, which would abort the JVM natively. */
    static DataType toDataType(ElementType type) {
        return switch (type) {
            case FLOAT32 -> DataType.FLOAT32;
            case FLOAT64 -> DataType.FLOAT64;
            case INT64, INT4, INT16, UINT16, UINT32, UINT64 -> DataType.INT64;
            case INT32 -> DataType.INT32;
            case INT8 -> DataType.INT8;
            case UINT8 -> DataType.UINT8;
            case BOOL -> DataType.BOOLEAN;
        };
    }

    private static GptqException untransferable(Object type) {
        return GptqException.unsupported(
                "Cannot use tensor of type %s in the engine: PyTorch has no such type. Convert it to FLOAT32 or INT64.",
                type);
    }

    private static int[] toInts(long[] values) {
        int[] ints = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            ints[i] = (int) values[i];
        }
        return ints;
    }

    private static boolean[] toBooleans(byte[] values) {
        boolean[] booleans = new boolean[values.length];
        for (int i = 0; i < values.length; i++) {
            booleans[i] = values[i] != 0;
        }
        return booleans;
    }

    private static long[] toLongs(int[] values) {
        long[] longs = new long[values.length];
        for (int i = 0; i < values.length; i++) {
            longs[i] = values[i];
        }
        return longs;
    }
}
