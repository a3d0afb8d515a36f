package dev.gptq.graph;

import dev.gptq.GptqException;
import java.util.Arrays;

/** Element type of a tensor; the subset of ONNX's types that graphs of this project hold. */
public enum ElementType {
    FLOAT32(1),
    FLOAT64(11),
    INT8(3),
    UINT8(2),
    INT16(5),
    UINT16(4),
    UINT32(12),
    UINT64(13),
    INT32(6),
    INT64(7),
    BOOL(9),
    /** Written only: kernels of few bits, two in a byte. */
    INT4(22);

    private final int onnxCode;

    ElementType(int onnxCode) {
        this.onnxCode = onnxCode;
    }

    /** The code of this type in ONNX's TensorProto.DataType. */
    public int onnxCode() {
        return onnxCode;
    }

    /** The type with a code of ONNX's TensorProto.DataType; fails for types this project does not hold. */
    public static ElementType ofOnnxCode(int code) {
        for (ElementType type : values()) {
            if (type.onnxCode == code) {
                return type;
            }
        }
        throw GptqException.unsupported(
                "Cannot use tensor of ONNX type %d: only %s are supported. Convert the model to float32.",
                code, Arrays.toString(values()));
    }

    /** Whether PyTorch lacks the type, so that the engine holds its values as INT64 (UINT64 by its bits). */
    public boolean isCarried() {
        return this == INT4 || this == INT16 || this == UINT16 || this == UINT32 || this == UINT64;
    }

    /** Whether {@link TensorData} holds the type's values as bytes. */
    public boolean isNarrow() {
        return this == INT4 || this == INT8 || this == UINT8 || this == BOOL;
    }

    public boolean isFloating() {
        return this == FLOAT32 || this == FLOAT64;
    }
}
