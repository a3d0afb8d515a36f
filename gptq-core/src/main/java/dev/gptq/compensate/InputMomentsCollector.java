package dev.gptq.compensate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.ActivationQuantizer;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.Node;
import dev.gptq.graph.SampleBatch;
import dev.gptq.train.ActivationFakeQuantizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Runs the model with float kernels and quantized activations, as the student starts, and sums the second moments of what
 * layers multiply their kernels with. Products that read the same rows, as query, key and value do, share the work.
 */
public final class InputMomentsCollector implements AutoCloseable {
    private final GraphExecutor floatModel;
    private final Map<String, ActivationFakeQuantizer> activations = new HashMap<>();
    /** By tensor. */
    private final Map<String, List<Readers>> readers = new HashMap<>();

    /** Kernels that are multiplied with the same rows. */
    private record Readers(InputRows rows, boolean shared, List<KernelMatrix> kernels) {}

    /**
     * @param floatModel is the graph that the plan is for
     * @param kernels names of the constants to measure, of those in {@link ErrorCompensation#kernels}
     */
    public InputMomentsCollector(GraphExecutor floatModel, QuantizationPlan plan, Set<String> kernels) {
        this.floatModel = floatModel;
        for (ActivationQuantizer quantizer : plan.activations()) {
            activations.put(quantizer.tensor(), new ActivationFakeQuantizer(quantizer));
        }
        for (KernelMatrix kernel : KernelMatrix.of(floatModel.graph(), plan.weights())) {
            if (kernels.contains(kernel.name())) {
                kernel.readers().forEach(node -> add(node, kernel));
            }
        }
    }

    private void add(Node node, KernelMatrix kernel) {
        List<Readers> ofTensor = readers.computeIfAbsent(node.input(0), tensor -> new ArrayList<>());
        boolean shared = !node.is("Conv");
        for (Readers known : ofTensor) {
            if (shared && known.shared()) {
                known.kernels().add(kernel);
                return;
            }
        }
        InputRows rows = InputRows.of(node, kernel, floatModel.graph(), floatModel.device());
        ofTensor.add(new Readers(rows, shared, new ArrayList<>(List.of(kernel))));
    }

    /** The sums over the rows of a block. */
    public InputMoments collect(SampleBatch block) {
        TreeMap<String, float[]> sums = new TreeMap<>();
        try (NDManager scope = Engines.newScope(floatModel.device());
                Autograd.Recording paused = Autograd.pause()) {
            Map<String, NDArray> feeds = Engines.toArrays(scope, block.inputs());
            floatModel.run(
                    scope,
                    feeds,
                    (tensor, value) -> {
                        ActivationFakeQuantizer quantizer = activations.get(tensor);
                        NDArray seen = quantizer == null ? value : quantizer.quantize(value);
                        readers.getOrDefault(tensor, List.of()).forEach(reading -> addTo(sums, reading, seen));
                        return seen;
                    },
                    Set.of());
        }
        return new InputMoments(sums);
    }

    private static void addTo(Map<String, float[]> sums, Readers reading, NDArray value) {
        float[] moments = reading.rows().moments(value);
        for (KernelMatrix kernel : reading.kernels()) {
            sums.merge(kernel.name(), moments.clone(), InputMoments::add);
        }
    }

    @Override
    public void close() {
        readers.values()
                .forEach(ofTensor -> ofTensor.forEach(reading -> reading.rows().close()));
    }
}
