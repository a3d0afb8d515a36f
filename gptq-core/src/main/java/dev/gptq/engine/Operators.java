package dev.gptq.engine;

import java.util.HashMap;
import java.util.Map;

/** The operators the engine runs, by ONNX name. */
final class Operators {
    private static final Map<String, Operator> TABLE = table();

    private Operators() {}

    /** The operator, or null when there is none of that name. */
    static Operator find(String opType) {
        return TABLE.get(opType);
    }

    private static Map<String, Operator> table() {
        Map<String, Operator> table = new HashMap<>();
        ElementwiseOperators.addTo(table);
        ConvolutionOperators.addTo(table);
        MatrixOperators.addTo(table);
        PoolingOperators.addTo(table);
        ReductionOperators.addTo(table);
        ShapeOperators.addTo(table);
        IndexOperators.addTo(table);
        return Map.copyOf(table);
    }
}
