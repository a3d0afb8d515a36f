package dev.gptq.graph;

/** Element type of a tensor; the subset of ONNX's types that graphs of this project hold. */
public enum ElementType {
    FLOAT32(1),
    FLOAT64(11),
    INT8(3),
    UINT8(2),
    INT16(5),
    UINT16(4),
    INT32(6),
    INT64(7),
    BOOL(9);

    private final int onnxCode;

    ElementType(int onnxCode) {
        this.onnxCode = onnxCode;
    }

    /** The code of this type in ONNX's TensorProto.DataType. */
    public int onnxCode() {
        return onnxCode;
    }

    public boolean isFloating() {
        return this == FLOAT32 || this == FLOAT64;
    }
}
