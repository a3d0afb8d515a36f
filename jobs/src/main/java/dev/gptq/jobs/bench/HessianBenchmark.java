package dev.gptq.jobs.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.graph.ComparePoints;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import dev.gptq.hessian.HessianScorer;
import java.util.ArrayList;
import java.util.List;

/**
 * Hessian scores against their floor: one forward and as many backward passes as vectors, of the same batches, in bare DJL.
 */
final class HessianBenchmark implements Benchmark {
    private static final int BATCH = 32;
    private static final int SAMPLES = 1024;
    private static final int FLOOR_SAMPLES = 128;
    private static final double MOST_OVER_FLOOR = 1.2;
    private static final double MOST_SECONDS = 3;

    @Override
    public List<Measurement> run(BenchContext context) throws Exception {
        List<Measurement> measurements = new ArrayList<>();
        for (BenchModel model : BenchModel.values()) {
            measurements.addAll(overFloor(model, context));
        }
        measurements.add(total(context));
        return measurements;
    }

    private static List<Measurement> overFloor(BenchModel model, BenchContext context) throws Exception {
        Graph graph = model.prepared(context.home());
        List<SampleBatch> batches = batches(FLOOR_SAMPLES);
        String name = "hessian." + model.id() + ".";
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu());
                BareModel bare = new BareModel(graph, false)) {
            HessianScorer scorer = new HessianScorer(executor, GPTQHessianScoresConfig.perSampleDefaults(), 0);
            String first = ComparePoints.of(graph).get(0).output();
            Interleaved costs = Interleaved.measure(
                    context.runs(),
                    () -> batches.forEach(batch -> floor(bare, batch, first)),
                    () -> batches.forEach(scorer::score));
            String conditions = "%d samples in batches of %d, every output's basis vector, one thread"
                    .formatted(FLOOR_SAMPLES, BATCH);
            return List.of(
                    new Measurement(
                            name + "over_floor", costs.cpuRatio(), "ratio", Limit.atMost(MOST_OVER_FLOOR), conditions),
                    Measurement.of(name + "floor_cpu", costs.baselineCpu(), "s", conditions),
                    Measurement.of(name + "cpu", costs.candidateCpu(), "s", conditions));
        }
    }

    /** All gradients down to the first layer's output, once per vector; nothing is done with them. */
    private static void floor(BareModel model, SampleBatch batch, String first) {
        try (NDManager scope = Engines.newScope(Device.cpu());
                Autograd.Recording recording = Autograd.record()) {
            NDArray input = Engines.toArray(scope, batch.inputs().get(BenchModel.INPUT));
            NDArray output = model.run(input, first);
            int outputs = (int) output.getShape().get(1);
            for (int vector = 0; vector < outputs; vector++) {
                float[] basis = new float[batch.size() * outputs];
                for (int sample = 0; sample < batch.size(); sample++) {
                    basis[sample * outputs + vector] = 1;
                }
                try (NDArray direction = scope.create(basis, output.getShape())) {
                    Autograd.backward(output, direction, vector + 1 < outputs);
                }
            }
        }
    }

    private static Measurement total(BenchContext context) throws Exception {
        Graph graph = BenchModel.M1.prepared(context.home());
        List<SampleBatch> batches = batches(SAMPLES);
        List<Cost> costs = new ArrayList<>();
        try (GraphExecutor executor = new GraphExecutor(graph, Device.cpu())) {
            HessianScorer scorer = new HessianScorer(executor, GPTQHessianScoresConfig.perSampleDefaults(), 0);
            for (int run = 0; run < context.runs(); run++) {
                costs.add(Cost.of(() -> batches.forEach(scorer::score)));
            }
        }
        return new Measurement(
                "hessian.m1.all_samples_cpu",
                Cost.medianCpu(costs),
                "s",
                Limit.atMost(MOST_SECONDS),
                "%d samples, 5 layers, exact expectation, CPU seconds of the process".formatted(SAMPLES));
    }

    private static List<SampleBatch> batches(int samples) {
        List<SampleBatch> batches = new ArrayList<>();
        for (int first = 0; first < samples; first += BATCH) {
            batches.add(BenchModel.samples(first, BATCH));
        }
        return batches;
    }
}
