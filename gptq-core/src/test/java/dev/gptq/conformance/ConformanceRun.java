package dev.gptq.conformance;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.GptqException;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.engine.TensorHook;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.ValueInfo;
import dev.gptq.graph.pass.OpsetUpgrade;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.onnx.TensorFiles;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads a case, brings it to the opsets that the engine runs, runs it and compares, with ONNX's own tolerances. */
final class ConformanceRun {
    private static final double RELATIVE = 1e-3;
    private static final double ABSOLUTE = 1e-7;

    private ConformanceRun() {}

    static ConformanceResult run(Path folder) {
        ConformanceCase test = ConformanceCase.read(folder);
        String exclusion = Scope.exclusion(test.model());
        String failure = exclusion == null ? failure(test) : null;
        return new ConformanceResult(test.name(), exclusion, failure);
    }

    private static String failure(ConformanceCase test) {
        try {
            Graph graph = OpsetUpgrade.apply(OnnxReader.read(test.bytes(), test.name()));
            try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu())) {
                for (ConformanceCase.DataSet set : test.dataSets()) {
                    String difference = difference(executor, set);
                    if (difference != null) {
                        return difference;
                    }
                }
            }
            return null;
        } catch (GptqException e) {
            return e.getMessage();
        }
    }

    private static String difference(GraphExecutor executor, ConformanceCase.DataSet set) {
        List<ValueInfo> inputs = executor.graph().inputs();
        List<ValueInfo> outputs = executor.graph().outputs();
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            Map<String, NDArray> feeds = new HashMap<>();
            for (int i = 0; i < inputs.size(); i++) {
                TensorData input = TensorFiles.parse(set.inputs().get(i));
                feeds.put(inputs.get(i).name(), Engines.toArray(scope, input));
            }
            Map<String, NDArray> results = executor.run(scope, feeds, TensorHook.NONE);
            for (int i = 0; i < outputs.size(); i++) {
                TensorData expected = TensorFiles.parse(set.outputs().get(i));
                TensorData actual = Engines.toTensor(
                        results.get(outputs.get(i).name()), outputs.get(i).type());
                String difference = difference(expected, actual);
                if (difference != null) {
                    return "output '" + outputs.get(i).name() + "' " + difference;
                }
            }
        }
        return null;
    }

    private static String difference(TensorData expected, TensorData actual) {
        if (actual.type() != expected.type()) {
            return "is of type " + actual.type() + " instead of " + expected.type();
        }
        if (!Arrays.equals(actual.shape(), expected.shape())) {
            return "has shape " + Arrays.toString(actual.shape()) + " instead of " + Arrays.toString(expected.shape());
        }
        if (!expected.type().isFloating()) {
            return Arrays.equals(actual.longs(), expected.longs()) ? null : "holds other integers";
        }
        for (int i = 0; i < expected.size(); i++) {
            double wanted = value(expected, i);
            double given = value(actual, i);
            boolean close = Double.compare(wanted, given) == 0
                    || Math.abs(given - wanted) <= ABSOLUTE + RELATIVE * Math.abs(wanted);
            if (!close) {
                // Without the values: their last digits differ between processors.
                return "holds values beyond the tolerance";
            }
        }
        return null;
    }

    private static double value(TensorData tensor, int index) {
        return tensor.type() == ElementType.FLOAT32 ? tensor.floats()[index] : tensor.doubles()[index];
    }
}
