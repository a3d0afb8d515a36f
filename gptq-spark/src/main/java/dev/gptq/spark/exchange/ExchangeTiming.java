package dev.gptq.spark.exchange;

import dev.gptq.graph.Graph;
import dev.gptq.spark.task.ComputeDevices;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.spark.task.SharedModel;
import dev.gptq.train.LaneGradient;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.BarrierTaskInfo;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import scala.collection.Iterator;
import scala.collection.Iterator$;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/** Times the exchange alone: gradients of any length come from nowhere, and an update is a copy. */
public final class ExchangeTiming {
    private static final int TIMEOUT_SECONDS = 60;

    private ExchangeTiming() {}

    /**
     * Runs a barrier stage of {@code tasks} tasks, one lane each.
     *
     * @param elements length of the gradient
     * @return milliseconds of each step
     */
    public static List<Double> measure(JavaSparkContext spark, int elements, int tasks, int steps) {
        Graph none = new Graph("none", 13, List.of(), List.of(), Map.of(), List.of());
        SharedModel model = new SharedModel(
                UUID.randomUUID().toString(),
                none,
                ComputeDevices.cpus("nothing is computed"),
                new SerializableConfiguration(spark.hadoopConfiguration()));
        Broadcast<SharedModel> shared = spark.broadcast(model);
        ClassTag<double[]> tag = ClassTag$.MODULE$.apply(double[].class);
        try {
            List<double[]> times = spark.parallelize(
                            IntStream.range(0, tasks).boxed().toList(), tasks)
                    .rdd()
                    .barrier()
                    .mapPartitions(new TimedTask(shared, elements, steps), false, tag)
                    .toJavaRDD()
                    .collect();
            return Arrays.stream(times.get(0)).boxed().toList();
        } finally {
            ExecutorModels.release(model.runId());
            shared.destroy();
        }
    }

    /** A task of the stage; the first one brings the times home. */
    private static final class TimedTask extends AbstractFunction1<Iterator<Integer>, Iterator<double[]>>
            implements Serializable {
        private final Broadcast<SharedModel> model;
        private final int elements;
        private final int steps;

        TimedTask(Broadcast<SharedModel> model, int elements, int steps) {
            this.model = model;
            this.elements = elements;
            this.steps = steps;
        }

        @Override
        public Iterator<double[]> apply(Iterator<Integer> nothing) {
            BarrierTaskContext task = BarrierTaskContext.get();
            List<String> addresses = Arrays.stream(task.getTaskInfos())
                    .map(BarrierTaskInfo::address)
                    .toList();
            Members members = Members.of(addresses, task.partitionId());
            try (ExecutorModels.Lease models = ExecutorModels.lease(model.value())) {
                TimedRun run = models.shared("timed", TimedRun.class, () -> new TimedRun(task, members, this, models));
                if (members.count() > 1) {
                    List<Endpoint> byTask = Arrays.stream(task.allGather(run.endpoint.encode()))
                            .map(Endpoint::decode)
                            .toList();
                    run.participant.connect(addresses.stream()
                            .distinct()
                            .map(address -> byTask.get(addresses.indexOf(address)))
                            .toList());
                }
                run.participant.run(task::isInterrupted);
                return Iterator$.MODULE$.single(run.times());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ExchangeException("Cannot time the exchange: the task was interrupted.", e);
            }
        }
    }

    /** What the tasks of one JVM share. */
    private static final class TimedRun implements StepWork {
        private final int[] borders;
        private final int lanes;
        private final float[][] gradients;
        private final List<Long> ends = Collections.synchronizedList(new ArrayList<>());
        private final Participant participant;
        private final Endpoint endpoint;

        TimedRun(BarrierTaskContext task, Members members, TimedTask timed, ExecutorModels.Lease models) {
            this.lanes = task.numPartitions();
            this.gradients = new float[lanes][];
            int slices = Math.max(1, timed.elements / members.sliceLength(timed.elements));
            this.borders = IntStream.rangeClosed(0, slices)
                    .map(slice -> Math.toIntExact((long) timed.elements * slice / slices))
                    .toArray();
            this.participant = new Participant(
                    new StageKey(task.stageId(), task.stageAttemptNumber()),
                    members,
                    this,
                    0,
                    timed.steps,
                    Collections.nCopies(members.count(), 0),
                    Duration.ofSeconds(TIMEOUT_SECONDS));
            if (members.count() == 1) {
                this.endpoint = null;
                return;
            }
            ExchangeTransport transport =
                    models.shared("exchange", ExchangeTransport.class, ExchangeTransport::ofExecutor);
            participant.listen(transport);
            this.endpoint = new Endpoint(SparkEnv.get().executorId(), transport.host(), transport.port(), 0);
        }

        double[] times() {
            return IntStream.range(1, ends.size())
                    .mapToDouble(step -> (ends.get(step) - ends.get(step - 1)) / 1e6)
                    .toArray();
        }

        @Override
        public int[] borders() {
            return borders;
        }

        @Override
        public int numbers(int slice) {
            return 0;
        }

        @Override
        public void write(int slice, float[] parameters) {}

        @Override
        public int lanes(int step) {
            return lanes;
        }

        @Override
        public LaneGradient lane(int step, int lane, float[] parameters) {
            if (gradients[lane] == null) {
                gradients[lane] = new float[parameters.length];
            }
            return new LaneGradient(0, gradients[lane]);
        }

        @Override
        public void update(
                int step,
                int slice,
                float[] gradient,
                int position,
                float[] parameters,
                double[] numbers,
                int numbersAt) {
            System.arraycopy(gradient, position, parameters, borders[slice], borders[slice + 1] - borders[slice]);
        }

        @Override
        public void begin(int step, float[] parameters) {
            if (step == 0) {
                ends.add(System.nanoTime());
            }
        }

        @Override
        public void finish(int step, double[] losses, double[] numbers, float[] parameters) {
            ends.add(System.nanoTime());
        }
    }
}
