package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import dev.gptq.graph.ElementType;
import java.util.Map;
import java.util.function.BinaryOperator;

/** Activation functions, arithmetic with broadcasting, and type conversion. */
final class ElementwiseOperators {
    private static final float RELU6_MAXIMUM = 6;
    private static final float LEAKY_RELU_ALPHA = 0.01f;
    private static final float HARD_SIGMOID_ALPHA = 0.2f;
    private static final float HARD_SIGMOID_BETA = 0.5f;
    private static final float HARD_SWISH_ALPHA = 1f / 6f;

    private ElementwiseOperators() {}

    static void addTo(Map<String, Operator> table) {
        table.put("Relu", call -> call.functions().relu());
        table.put("LeakyRelu", call -> call.functions().leakyRelu(call.node().real("alpha", LEAKY_RELU_ALPHA)));
        table.put("Sigmoid", call -> call.functions().sigmoid());
        table.put("Tanh", call -> call.functions().tanh());
        table.put("Clip", ElementwiseOperators::clip);
        table.put("HardSigmoid", ElementwiseOperators::hardSigmoid);
        table.put("HardSwish", call -> call.x().mul(hardSigmoid(call, HARD_SWISH_ALPHA, HARD_SIGMOID_BETA)));
        table.put("Exp", call -> call.x().exp());
        table.put("Log", call -> call.x().log());
        table.put("Sqrt", call -> call.x().sqrt());
        table.put("Neg", call -> call.x().neg());
        table.put("Abs", call -> call.x().abs());
        table.put("Sign", call -> call.x().sign());
        table.put("Floor", call -> call.x().floor());
        table.put("Ceil", call -> call.x().ceil());
        table.put("Round", call -> call.x().round());
        table.put("Sin", call -> call.x().sin());
        table.put("Cos", call -> call.x().cos());
        table.put("Tan", call -> call.x().tan());
        table.put("Asin", call -> call.x().asin());
        table.put("Acos", call -> call.x().acos());
        table.put("Atan", call -> call.x().atan());
        table.put("Sinh", call -> call.x().sinh());
        table.put("Cosh", call -> call.x().cosh());
        table.put("Reciprocal", call -> Engines.scalar(call.manager(), call.x(), 1)
                .div(call.x()));
        table.put("CastLike", ElementwiseOperators::castLike);
        table.put("Erf", call -> call.x().erf());
        table.put("Add", call -> call.input(0).add(call.input(1)));
        table.put("Sub", call -> call.input(0).sub(call.input(1)));
        table.put("Mul", call -> call.input(0).mul(call.input(1)));
        table.put("Div", ElementwiseOperators::divide);
        table.put(
                "Pow",
                call -> Autograd.toType(
                        call.input(0).pow(call.input(1)), call.x().getDataType()));
        table.put("Min", call -> fold(call, NDArray::minimum));
        table.put("Max", call -> fold(call, NDArray::maximum));
        table.put("Sum", call -> fold(call, NDArray::add));
        table.put("Mean", ElementwiseOperators::mean);
        table.put("Cast", ElementwiseOperators::cast);
        table.put("Identity", call -> Call.alias(call.x()));
        table.put("Dropout", Operator.several(ElementwiseOperators::dropout));
    }

    /** At inference: the data, and a mask of truth values that keeps everything. */
    private static NDArray[] dropout(Call call) {
        NDArray kept = Call.alias(call.x());
        return call.node().outputs().size() == 1
                ? new NDArray[] {kept}
                : new NDArray[] {kept, call.manager().ones(call.x().getShape(), DataType.BOOLEAN)};
    }

    private static NDArray clip(Call call) {
        if (!call.x().getDataType().isFloating()) {
            NDArray raised = call.has(1) ? call.x().maximum(call.input(1)) : Call.alias(call.x());
            return call.has(2) ? raised.minimum(call.input(2)) : raised;
        }
        float min = call.number(1, Float.NEGATIVE_INFINITY);
        float max = call.number(2, Float.POSITIVE_INFINITY);
        if (min == 0 && max == RELU6_MAXIMUM && Autograd.isRecording()) {
            return Scripts.RELU6.call(call.x()).get(0);
        }
        return call.x().clip(min, max);
    }

    private static NDArray hardSigmoid(Call call) {
        float alpha = call.node().real("alpha", HARD_SIGMOID_ALPHA);
        return hardSigmoid(call, alpha, call.node().real("beta", HARD_SIGMOID_BETA));
    }

    private static NDArray hardSigmoid(Call call, float alpha, float beta) {
        return call.times(call.x(), alpha).add(beta).clip(0f, 1f);
    }

    private static NDArray divide(Call call) {
        NDArray quotient = call.input(0).div(call.input(1));
        // ONNX divides integers towards zero; PyTorch would answer with floats.
        return call.x().getDataType().isFloating()
                ? quotient
                : quotient.trunc().toType(call.x().getDataType(), false);
    }

    private static NDArray fold(Call call, BinaryOperator<NDArray> operator) {
        if (call.inputs().length == 1) {
            return Call.alias(call.x());
        }
        NDArray result = call.x();
        for (int i = 1; i < call.inputs().length; i++) {
            result = operator.apply(result, call.input(i));
        }
        return result;
    }

    private static NDArray mean(Call call) {
        return call.inputs().length == 1
                ? Call.alias(call.x())
                : call.mean(fold(call, NDArray::add), call.inputs().length);
    }

    private static NDArray castLike(Call call) {
        return converted(call.x(), call.input(1).getDataType());
    }

    private static NDArray cast(Call call) {
        ElementType type = ElementType.ofOnnxCode((int) call.node().integer("to", 0));
        return converted(call.x(), Engines.toDataType(type));
    }

    private static NDArray converted(NDArray x, DataType type) {
        NDArray converted = Autograd.toType(x, type);
        return converted == x ? Call.alias(converted) : converted;
    }
}
