package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Map;

/** Comparisons, truth values, and the choice between two tensors. */
final class LogicOperators {
    private LogicOperators() {}

    static void addTo(Map<String, Operator> table) {
        table.put("Equal", call -> call.input(0).eq(call.input(1)));
        table.put("Greater", call -> call.input(0).gt(call.input(1)));
        table.put("GreaterOrEqual", call -> call.input(0).gte(call.input(1)));
        table.put("Less", call -> call.input(0).lt(call.input(1)));
        table.put("LessOrEqual", call -> call.input(0).lte(call.input(1)));
        table.put("And", call -> call.input(0).logicalAnd(call.input(1)));
        table.put("Or", call -> call.input(0).logicalOr(call.input(1)));
        table.put("Xor", call -> call.input(0).logicalXor(call.input(1)));
        table.put("Not", call -> call.x().logicalNot());
        table.put("IsNaN", call -> call.x().isNaN());
        table.put("Where", LogicOperators::where);
    }

    private static NDArray where(Call call) {
        Shape shape = Broadcasting.shapeOf(call.shape(0), call.shape(1), call.shape(2));
        NDArray condition = call.input(0).broadcast(shape);
        NDArray chosen = call.input(1).broadcast(shape);
        return chosen.getNDArrayInternal().where(condition, call.input(2).broadcast(shape));
    }
}
