package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import dev.gptq.GptqException;

/** Refuses models that would exhaust memory, before anything of them is unpacked. */
final class ModelLimits {
    static final int MAX_NODES = 100_000;

    /** Part of the heap that constants may take: rewriting and exporting hold further copies. */
    private static final int HEAP_SHARE = 3;

    private static final long MEGABYTE = 1 << 20;

    private ModelLimits() {}

    /**
     * Checks a graph against this JVM.
     *
     * @param heap bytes the JVM may use
     */
    static void require(OnnxMl.GraphProto graph, String source, long heap) {
        if (graph.getNodeCount() > MAX_NODES) {
            throw GptqException.unsupported(
                    "Cannot read model %s: it has %d nodes, more than %d. Export it without unrolled loops.",
                    source, graph.getNodeCount(), MAX_NODES);
        }
        long bytes = 0;
        for (OnnxMl.TensorProto tensor : graph.getInitializerList()) {
            bytes += heldBytes(tensor);
        }
        for (OnnxMl.NodeProto node : graph.getNodeList()) {
            for (OnnxMl.AttributeProto attribute : node.getAttributeList()) {
                bytes += attribute.hasT() ? heldBytes(attribute.getT()) : 0;
            }
        }
        if (bytes > heap / HEAP_SHARE) {
            throw GptqException.badInput(
                    "Cannot read model %s: its constants take %d MB of memory, and the driver has %d MB in all. Give it at"
                            + " least %d MB (--driver-memory).",
                    source, bytes / MEGABYTE, heap / MEGABYTE, HEAP_SHARE * bytes / MEGABYTE + 1);
        }
    }

    /** What is stored counts, for a shape that claims more is refused. Integers of more than 8 bits are held as long. */
    private static long heldBytes(OnnxMl.TensorProto tensor) {
        OnnxMl.TensorProto.DataType type = OnnxMl.TensorProto.DataType.forNumber(tensor.getDataType());
        long elements = (long) tensor.getFloatDataCount()
                + tensor.getDoubleDataCount()
                + tensor.getInt32DataCount()
                + tensor.getInt64DataCount()
                + tensor.getUint64DataCount();
        elements += tensor.getRawData().size() / rawWidth(type);
        return elements * heldWidth(type);
    }

    private static int heldWidth(OnnxMl.TensorProto.DataType type) {
        return switch (type == null ? OnnxMl.TensorProto.DataType.UNDEFINED : type) {
            case FLOAT -> Float.BYTES;
            case INT8, UINT8, BOOL -> Byte.BYTES;
            default -> Long.BYTES;
        };
    }

    private static int rawWidth(OnnxMl.TensorProto.DataType type) {
        if (type == null) {
            return 1;
        }
        return switch (type) {
            case DOUBLE, INT64, UINT64 -> Long.BYTES;
            case FLOAT, INT32, UINT32 -> Integer.BYTES;
            case INT16, UINT16 -> Short.BYTES;
            default -> 1;
        };
    }
}
