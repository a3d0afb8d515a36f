package dev.gptq.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.engine.SamplePlaces;
import dev.gptq.engine.TensorHook;
import dev.gptq.hessian.LossWeights;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The gradient of one micro-batch as a pure function; used by the local trainer and by Spark lanes alike. The student is
 * the float graph with the kernels and biases of {@link StudentParameters} and fake-quantized activations. Rounding itself
 * is not differentiated here: the driver applies the chain rule to the kernels' gradient.
 */
public final class GradientComputer {
    private final GraphExecutor floatModel;
    private final ParameterLayout layout;
    private final Map<String, ActivationFakeQuantizer> activations = new HashMap<>();
    /** Tensors that teacher and student are compared at. */
    private final Set<String> compared = new HashSet<>();

    private final DistillationLoss loss;
    private final float[] layerWeights;

    public GradientComputer(
            GraphExecutor floatModel, QuantizationPlan plan, GradientPTQConfig config, LossWeights lossWeights) {
        this.floatModel = floatModel;
        this.layout = ParameterLayout.of(floatModel.graph(), plan);
        layout.layers().forEach(layer -> compared.add(layer.point().output()));
        Set<String> read = floatModel.graph().consumers().keySet();
        for (ActivationQuantizer quantizer : plan.activations()) {
            if (!read.contains(quantizer.tensor())) {
                // A model output that no layer reads has no part in any compare point.
                continue;
            }
            activations.put(quantizer.tensor(), new ActivationFakeQuantizer(quantizer));
        }
        this.loss = DistillationLosses.of(config.loss());
        this.layerWeights = lossWeights.perLayer();
    }

    /** Runs teacher and student and differentiates the distillation loss. Thread-safe. */
    public LaneGradient compute(StudentParameters parameters, MicroBatch batch) {
        try (NDManager scope = Engines.newScope(floatModel.device())) {
            Map<String, NDArray> feeds = Engines.toArrays(scope, batch.samples().inputs());
            int samples = batch.samples().size();
            List<NDArray> teacher = teacherOutputs(scope, feeds, samples);
            try (Autograd.Recording recording = Autograd.record()) {
                List<Leaf> leaves = leaves(scope, parameters);
                leaves.forEach(leaf -> feeds.put(leaf.constant(), leaf.array()));
                List<NDArray> student = studentOutputs(scope, feeds, parameters.quantizedFraction(), samples);
                OutputGradients outputs = loss.differentiate(student, teacher, context(batch));
                return new LaneGradient(outputs.losses(), gradient(student, outputs.gradients(), leaves));
            }
        }
    }

    private DistillationLoss.Context context(MicroBatch batch) {
        return new DistillationLoss.Context(
                layerWeights,
                batch.sampleWeights(),
                batch.attentionDenominator(),
                batch.teacherEnergies(),
                batch.samples().size(),
                batch.globalBatchSize());
    }

    private List<NDArray> teacherOutputs(NDManager scope, Map<String, NDArray> feeds, int samples) {
        Map<String, NDArray> captured = new HashMap<>();
        try (Autograd.Recording paused = Autograd.pause()) {
            TensorHook hook = (tensor, value) -> {
                keep(captured, tensor, value);
                return value;
            };
            floatModel.run(scope, feeds, hook, compared);
            return comparePoints(captured, samples);
        }
    }

    private List<NDArray> studentOutputs(NDManager scope, Map<String, NDArray> feeds, double fraction, int samples) {
        Map<String, NDArray> captured = new HashMap<>();
        TensorHook hook = (tensor, value) -> {
            keep(captured, tensor, value);
            ActivationFakeQuantizer quantizer = activations.get(tensor);
            return quantizer == null ? value : quantizer.blend(value, fraction);
        };
        floatModel.run(scope, feeds, hook, compared);
        return comparePoints(captured, samples);
    }

    private void keep(Map<String, NDArray> captured, String tensor, NDArray value) {
        if (compared.contains(tensor)) {
            captured.put(tensor, value);
        }
    }

    /** What the loss compares, by layer; samples come first. */
    private List<NDArray> comparePoints(Map<String, NDArray> captured, int samples) {
        List<NDArray> outputs = new ArrayList<>();
        for (ParameterLayout.Layer layer : layout.layers()) {
            NDArray output = captured.get(layer.point().output());
            outputs.add(SamplePlaces.first(output, samples, layer.point().place()));
        }
        return outputs;
    }

    private List<Leaf> leaves(NDManager scope, StudentParameters parameters) {
        List<Leaf> leaves = new ArrayList<>();
        for (ParameterLayout.Layer layer : layout.layers()) {
            leaves.add(leaf(scope, parameters.values(), layer.point().weight(), layer.kernel()));
            if (layer.bias() != null) {
                leaves.add(leaf(scope, parameters.values(), layer.point().bias(), layer.bias()));
            }
        }
        return leaves;
    }

    private static Leaf leaf(NDManager scope, float[] values, String constant, ParameterLayout.Slice slice) {
        FloatBuffer buffer = FloatBuffer.wrap(values, slice.offset(), slice.size());
        return new Leaf(constant, slice, Autograd.leaf(scope.create(buffer, new Shape(slice.shape()))));
    }

    private float[] gradient(List<NDArray> outputs, List<NDArray> outputGradients, List<Leaf> leaves) {
        float[] gradient = new float[layout.totalCount()];
        List<NDArray> arrays = leaves.stream().map(Leaf::array).toList();
        List<NDArray> parts = Autograd.gradients(outputs, outputGradients, arrays, false);
        for (int i = 0; i < parts.size(); i++) {
            ParameterLayout.Slice slice = leaves.get(i).slice();
            System.arraycopy(parts.get(i).toFloatArray(), 0, gradient, slice.offset(), slice.size());
        }
        return gradient;
    }

    /** A constant of the graph that this step trains. */
    private record Leaf(String constant, ParameterLayout.Slice slice, NDArray array) {}
}
