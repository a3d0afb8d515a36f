package dev.gptq.train;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import java.util.Locale;

/** What is said when training cannot go on: the step, the layer, and what to do. */
final class Divergence {
    private final Graph prepared;
    private final ParameterLayout layout;
    private final int totalSteps;

    Divergence(Graph prepared, ParameterLayout layout, int totalSteps) {
        this.prepared = prepared;
        this.layout = layout;
        this.totalSteps = totalSteps;
    }

    /** An element of the gradient that is not finite. */
    GptqException ofGradient(int step, int element, float value) {
        return failure(step, "the gradient of the " + owner(element) + " holds " + value + ".", "");
    }

    /** A loss that is not finite. */
    GptqException ofLoss(int step, double loss, float[] parameters) {
        return failure(step, "the loss is " + loss + "." + farthest(parameters), "");
    }

    /** A loss above the limit. */
    GptqException ofExplosion(int step, double loss, double limit, float[] parameters) {
        return failure(
                step,
                String.format(
                        Locale.ROOT,
                        "the loss has exploded to %.4g; a training whose first losses were as here may reach %.4g.%s",
                        loss,
                        limit,
                        farthest(parameters)),
                " If it is right for the loss to rise so far, raise training.divergence_factor.");
    }

    private GptqException failure(int step, String reason, String more) {
        String message = String.format(
                Locale.ROOT,
                "Cannot continue training at step %d of %d: %s Lower the learning rate of optimizer or optimizer_bias, and"
                        + " check that the calibration data is finite.%s",
                step,
                totalSteps,
                reason,
                more);
        return new GptqException(ErrorCode.DIVERGED, message);
    }

    /** What an element belongs to, for messages. */
    private String owner(int element) {
        for (ParameterLayout.Layer layer : layout.layers()) {
            if (holds(layer.kernel(), element)) {
                return kernelOf(layer);
            }
            if (layer.bias() != null && holds(layer.bias(), element)) {
                return biasOf(layer);
            }
        }
        throw new IllegalArgumentException("No element " + element + ".");
    }

    private static boolean holds(ParameterLayout.Slice slice, int element) {
        return element >= slice.offset() && element < slice.offset() + slice.size();
    }

    private static String kernelOf(ParameterLayout.Layer layer) {
        return "kernel of layer " + layer.point().name();
    }

    private static String biasOf(ParameterLayout.Layer layer) {
        return "bias of layer " + layer.point().name();
    }

    /**
     * A sentence about the parameters that are farthest from the float model's, compared with how large those are: where to
     * look first. Empty when all are where they were.
     */
    private String farthest(float[] parameters) {
        String name = "";
        double most = 0;
        double distance = 0;
        for (ParameterLayout.Layer layer : layout.layers()) {
            float[] kernel = ParameterLayout.kernel(prepared, layer.point()).floats();
            float[] bias = layer.bias() == null
                    ? new float[0]
                    : ParameterLayout.bias(prepared, layer.point()).floats();
            double kernelMoved = moved(kernel, parameters, layer.kernel().offset());
            double biasMoved =
                    bias.length == 0 ? 0 : moved(bias, parameters, layer.bias().offset());
            if (kernelMoved / unit(kernel) > most) {
                name = kernelOf(layer);
                distance = kernelMoved;
                most = kernelMoved / unit(kernel);
            }
            if (biasMoved / unit(bias) > most) {
                name = biasOf(layer);
                distance = biasMoved;
                most = biasMoved / unit(bias);
            }
        }
        return name.isEmpty()
                ? ""
                : String.format(Locale.ROOT, " The %s is farthest from the float model's, by %.4g.", name, distance);
    }

    private static double moved(float[] start, float[] parameters, int offset) {
        double most = 0;
        for (int i = 0; i < start.length; i++) {
            double distance = Math.abs((double) parameters[offset + i] - start[i]);
            most = Double.isNaN(distance) ? Double.POSITIVE_INFINITY : Math.max(most, distance);
        }
        return most;
    }

    private static double unit(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest == 0 ? 1 : largest;
    }
}
