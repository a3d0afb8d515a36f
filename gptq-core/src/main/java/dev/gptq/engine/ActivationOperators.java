package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import java.util.Map;

/** Activation functions beyond the basic ones. */
final class ActivationOperators {
    private static final float SELU_ALPHA = 1.67326319217681884765625f;
    private static final float SELU_GAMMA = 1.05070102214813232421875f;
    private static final double GELU_CUBIC = 0.044715;
    private static final double GELU_SCALE = Math.sqrt(2 / Math.PI);
    private static final float SHRINK_LAMBDA = 0.5f;

    private ActivationOperators() {}

    static void addTo(Map<String, Operator> table) {
        table.put("Elu", call -> call.functions().elu(call.node().real("alpha", 1)));
        table.put("Selu", ActivationOperators::selu);
        table.put("Celu", ActivationOperators::celu);
        table.put("PRelu", ActivationOperators::prelu);
        table.put("ThresholdedRelu", ActivationOperators::thresholdedRelu);
        table.put("Shrink", ActivationOperators::shrink);
        table.put("Softplus", call -> call.functions().softPlus());
        table.put("Softsign", call -> call.functions().softSign());
        table.put("Mish", call -> call.x().mul(call.functions().softPlus().tanh()));
        table.put("Gelu", ActivationOperators::gelu);
    }

    private static NDArray selu(Call call) {
        float alpha = call.node().real("alpha", SELU_ALPHA);
        return call.times(call.functions().elu(alpha), call.node().real("gamma", SELU_GAMMA));
    }

    /** max(0, x) + min(0, alpha (exp(x / alpha) - 1)), which is alpha elu(x / alpha). */
    private static NDArray celu(Call call) {
        double alpha = call.node().real("alpha", 1);
        NDArray scaled = call.times(call.x(), 1 / alpha);
        return call.times(scaled.getNDArrayInternal().elu(1), alpha);
    }

    private static NDArray prelu(Call call) {
        NDArray negative = call.x().neg().getNDArrayInternal().relu();
        return call.functions().relu().sub(negative.mul(call.input(1)));
    }

    private static NDArray thresholdedRelu(Call call) {
        return call.x().mul(call.asNumbers(call.x().gt(call.node().real("alpha", 1))));
    }

    /** x - bias above lambda, x + bias below -lambda, 0 between. */
    private static NDArray shrink(Call call) {
        float lambda = call.node().real("lambd", SHRINK_LAMBDA);
        NDArray above = call.asNumbers(call.x().gt(lambda));
        NDArray below = call.asNumbers(call.x().lt(-lambda));
        NDArray bias = call.times(below.sub(above), call.node().real("bias", 0));
        return call.x().mul(above.add(below)).add(bias);
    }

    private static NDArray gelu(Call call) {
        if (!call.node().text("approximate", "none").equals("tanh")) {
            return call.functions().gelu();
        }
        NDArray x = call.x();
        NDArray cubic = call.times(x.mul(x).mul(x), GELU_CUBIC);
        NDArray curve = call.times(x.add(cubic), GELU_SCALE).tanh().add(1);
        return call.times(x.mul(curve), 1d / 2);
    }
}
