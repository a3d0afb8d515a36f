package dev.gptq.evaluate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.calibrate.WeightQuantizer;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.ValueInfo;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.train.QuantizedStudent;
import dev.gptq.train.StudentOutputs;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Runs float, PTQ and GPTQ model side by side: whole models in ONNX Runtime, compare points in the engine. The first
 * output is the classification one, from which top-1 and agreement are taken. {@link #evaluate} may be called from several
 * threads at once.
 */
public final class ModelEvaluator implements AutoCloseable {
    /** 32 MB of float values. */
    private static final long PART_ELEMENTS = 1 << 23;

    private static final long DOUBLES_OF_OUTPUT = 6;

    private final GraphExecutor prepared;
    private final List<String> comparedTensors;
    private final Map<String, Double> steps;
    private final QuantizedStudent ptqStudent;
    private final QuantizedStudent gptqStudent;
    private final OnnxSession floatSession;
    private final OnnxSession ptqSession;
    private final OnnxSession gptqSession;

    /**
     * Loads the models.
     *
     * @param floatModel the float model; its outputs are the reference
     * @param prepared the prepared float graph in the engine; stays the caller's, who closes it after this evaluator
     * @param ptqLayers what {@code ptqModel} was exported from, in plan order
     * @param gptqLayers what {@code gptqModel} was exported from, in plan order
     * @throws dev.gptq.GptqException UNSUPPORTED_MODEL when ONNX Runtime refuses a model
     */
    public ModelEvaluator(
            OnnxModel floatModel,
            OnnxModel ptqModel,
            OnnxModel gptqModel,
            GraphExecutor prepared,
            QuantizationPlan plan,
            List<QuantizedLayer> ptqLayers,
            List<QuantizedLayer> gptqLayers) {
        this.prepared = prepared;
        this.comparedTensors = plan.weights().stream()
                .map(WeightQuantizer::point)
                .map(point -> point.output())
                .toList();
        this.steps = EngineAgreement.steps(plan);
        this.ptqStudent = new QuantizedStudent(prepared, plan, ptqLayers);
        this.gptqStudent = new QuantizedStudent(prepared, plan, gptqLayers);
        this.floatSession = new OnnxSession(floatModel, "float");
        OnnxSession ptq = null;
        try {
            ptq = new OnnxSession(ptqModel, "ptq");
            this.gptqSession = new OnnxSession(gptqModel, "gptq");
        } catch (RuntimeException e) {
            if (ptq != null) {
                ptq.close();
            }
            floatSession.close();
            throw e;
        }
        this.ptqSession = ptq;
    }

    /**
     * The sums of one batch. It is run in parts whose compare points and outputs take {@value #PART_ELEMENTS} elements or a
     * single sample, so that memory does not grow with the layers of a model; how it is cut follows from the batch alone.
     */
    public BlockMetrics evaluate(SampleBatch batch) {
        return evaluate(batch, PART_ELEMENTS);
    }

    BlockMetrics evaluate(SampleBatch batch, long elements) {
        int part = (int) Math.max(1, Math.min(batch.size(), elements / elementsOfSample(batch)));
        BlockMetrics sums = evaluatePart(part == batch.size() ? batch : batch.part(0, part));
        for (int first = part; first < batch.size(); first += part) {
            sums = sums.merge(evaluatePart(batch.part(first, Math.min(part, batch.size() - first))));
        }
        return sums;
    }

    /** What is held of each sample: its compare points, and its outputs in twice the precision for three models. */
    private long elementsOfSample(SampleBatch batch) {
        SampleBatch one = batch.part(0, 1);
        long elements = 1;
        for (float[] point : floatPoints(one).values()) {
            elements += point.length;
        }
        for (ModelOutput output : floatSession.run(one.inputs()).values()) {
            elements += DOUBLES_OF_OUTPUT * output.values().length;
        }
        return elements;
    }

    private BlockMetrics evaluatePart(SampleBatch batch) {
        Map<String, ModelOutput> reference = floatSession.run(batch.inputs());
        ModelOutput classes = reference.values().iterator().next();
        OutputSums ptq = OutputComparison.compare(batch, reference, ptqSession.run(batch.inputs()));
        Map<String, ModelOutput> quantized = gptqSession.run(batch.inputs());
        OutputSums gptq = OutputComparison.compare(batch, reference, quantized);
        int points = comparedTensors.size();
        double[] signal = new double[points];
        double[] ptqNoise = new double[points];
        double[] gptqNoise = new double[points];
        Map<String, float[]> floatPoints = floatPoints(batch);
        EngineAgreement agreement;
        try (NDManager scope = Engines.newScope(prepared.device())) {
            addNoise(ptqStudent.run(scope, batch), floatPoints, ptqNoise);
        }
        try (NDManager scope = Engines.newScope(prepared.device())) {
            StudentOutputs student = gptqStudent.run(scope, batch);
            addNoise(student, floatPoints, gptqNoise);
            agreement = EngineAgreement.of(batch.size(), quantized, student.outputs(), steps);
        }
        for (int point = 0; point < points; point++) {
            for (float value : floatPoints.get(comparedTensors.get(point))) {
                signal[point] += (double) value * value;
            }
        }
        return new BlockMetrics(
                batch.size(),
                batch.labels() != null,
                classes.isClassVector(),
                OutputComparison.correct(batch, classes),
                ptq,
                gptq,
                signal,
                ptqNoise,
                gptqNoise,
                agreement,
                Disagreement.worst(batch, reference, quantized));
    }

    private Map<String, float[]> floatPoints(SampleBatch batch) {
        Set<String> wanted = Set.copyOf(comparedTensors);
        Map<String, float[]> points = new HashMap<>();
        try (NDManager scope = Engines.newScope(prepared.device())) {
            Map<String, NDArray> feeds = prepared.graph().inputs().stream()
                    .map(ValueInfo::name)
                    .collect(Collectors.toMap(
                            name -> name,
                            name -> Engines.toArray(scope, batch.inputs().get(name))));
            prepared.run(scope, feeds, (tensor, value) -> {
                if (wanted.contains(tensor)) {
                    points.put(tensor, value.toFloatArray());
                }
                return value;
            });
        }
        return points;
    }

    private void addNoise(StudentOutputs student, Map<String, float[]> floatPoints, double[] noise) {
        for (int point = 0; point < noise.length; point++) {
            String tensor = comparedTensors.get(point);
            float[] expected = floatPoints.get(tensor);
            float[] actual = student.comparePoints().get(tensor).toFloatArray();
            for (int i = 0; i < expected.length; i++) {
                double difference = (double) expected[i] - actual[i];
                noise[point] += difference * difference;
            }
        }
    }

    @Override
    public void close() {
        floatSession.close();
        ptqSession.close();
        gptqSession.close();
    }
}
