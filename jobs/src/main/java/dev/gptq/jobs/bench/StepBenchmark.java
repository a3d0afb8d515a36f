package dev.gptq.jobs.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.engine.Autograd;
import dev.gptq.engine.Engines;
import dev.gptq.graph.Graph;
import dev.gptq.graph.SampleBatch;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/**
 * Training steps of a whole run in {@code local[2]} against their floor in bare DJL: the forward pass of the teacher, the
 * forward and backward passes of a float student.
 */
final class StepBenchmark implements Benchmark {
    private static final int CORES = 2;
    private static final int SAMPLES = 256;
    /** Until the JVM has compiled what runs often: its compiler's threads are part of the CPU time. */
    private static final int WARM_UP_STEPS = 256;

    private static final int STEPS_PER_RUN = 16;
    private static final double MOST_OVER_FLOOR = 1.35;
    private static final double MOST_OVER_MCT = 0.75;
    /** CPU seconds per step of MCT (fad922f, torch 1.13.1, two threads): 4 bits, sample-layer attention. */
    private static final double MCT_M1 = 0.050;

    private static final double MCT_M2 = 0.234;
    /** From profiles of one lane after the other (CPU time, one thread). */
    private static final String NOTES =
            "beyond the floor: the loss and its gradient at the compare points, activation quantizers, the update of the"
                    + " parameters, Spark; below it: ReLU6 is differentiated by one operation instead of five";

    @Override
    public List<Measurement> run(BenchContext context) throws Exception {
        List<Measurement> measurements = new ArrayList<>();
        measurements.addAll(measure(BenchModel.M1, MCT_M1, null, context));
        measurements.addAll(measure(BenchModel.M2, MCT_M2, Limit.atMost(MOST_OVER_FLOOR), context));
        return measurements;
    }

    private static List<Measurement> measure(BenchModel model, double mct, Limit overFloor, BenchContext context)
            throws Exception {
        int steps = WARM_UP_STEPS + STEPS_PER_RUN * context.runs();
        int stepsPerEpoch = SAMPLES / BenchRun.BATCH;
        BenchRun run = new BenchRun(
                model.file(context.home()), SAMPLES, (steps + stepsPerEpoch - 1) / stepsPerEpoch, List.of());
        Graph graph = model.prepared(context.home());
        List<Cost> floors = new ArrayList<>();
        StepCosts costs = new StepCosts(WARM_UP_STEPS, STEPS_PER_RUN);
        try (TemporaryFolder folder = TemporaryFolder.create();
                SparkSession session = BenchSpark.local(CORES);
                BareModel teacher = new BareModel(graph, false);
                BareModel student = new BareModel(graph, true)) {
            SampleBatch batch = BenchModel.samples(0, BenchRun.BATCH);
            // Tasks go on while the driver hears of a step, so that the floor has its turns before and after the run.
            addFloors(floors, teacher, student, batch, context.runs());
            run.execute(session, context.home(), folder.path(), costs);
            addFloors(floors, teacher, student, batch, context.runs());
        }
        double floor = Cost.medianCpu(floors.subList(1, floors.size()));
        double step = Cost.medianCpu(costs.perStep());
        String name = "step." + model.id() + ".";
        String conditions =
                "batch %d in 4 lanes, 4-bit weights, sample-layer attention, local[%d], CPU time of the process, median of %d"
                                .formatted(
                                        BenchRun.BATCH, CORES, costs.perStep().size())
                        + " blocks of %d steps after %d; %s".formatted(STEPS_PER_RUN, WARM_UP_STEPS, NOTES);
        return List.of(
                new Measurement(name + "cpu_over_floor", step / floor, "ratio", overFloor, conditions),
                new Measurement(
                        name + "cpu_over_mct",
                        step / mct,
                        "ratio",
                        Limit.atMost(MOST_OVER_MCT),
                        "%s; MCT: %s CPU seconds per step".formatted(conditions, mct)),
                Measurement.of(name + "cpu", step, "s", conditions),
                Measurement.of(name + "floor_cpu", floor, "s", conditions));
    }

    private static void addFloors(
            List<Cost> floors, BareModel teacher, BareModel student, SampleBatch batch, int blocks) throws Exception {
        for (int block = 0; block < blocks; block++) {
            floors.add(Cost.of(() -> {
                        for (int step = 0; step < STEPS_PER_RUN; step++) {
                            floor(teacher, student, batch);
                        }
                    })
                    .dividedBy(STEPS_PER_RUN));
        }
    }

    private static void floor(BareModel teacher, BareModel student, SampleBatch batch) {
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            NDArray input = Engines.toArray(scope, batch.inputs().get(BenchModel.INPUT));
            try (Autograd.Recording paused = Autograd.pause()) {
                teacher.run(input);
            }
            try (Autograd.Recording recording = Autograd.record()) {
                Autograd.backward(student.run(input), null, false);
            }
        }
    }
}
