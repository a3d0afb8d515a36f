package dev.gptq.jobs.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What a piece of work took.
 *
 * @param cpuSeconds of all threads of this JVM, those of its compiler and garbage collector among them
 */
record Cost(double cpuSeconds, double wallSeconds) {
    private static final double NANOS = 1e9;
    private static final OperatingSystemMXBean SYSTEM =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    /** Something to measure. */
    interface Work {
        void run() throws Exception;
    }

    /** Runs from when it is started. */
    record Clock(long cpuNanos, long wallNanos) {
        static Clock start() {
            return new Clock(SYSTEM.getProcessCpuTime(), System.nanoTime());
        }

        /** What the time since the start took. */
        Cost read() {
            return new Cost((SYSTEM.getProcessCpuTime() - cpuNanos) / NANOS, (System.nanoTime() - wallNanos) / NANOS);
        }
    }

    static Cost of(Work work) throws Exception {
        Clock clock = Clock.start();
        work.run();
        return clock.read();
    }

    Cost dividedBy(int times) {
        return new Cost(cpuSeconds / times, wallSeconds / times);
    }

    static double medianCpu(List<Cost> costs) {
        return median(costs, Cost::cpuSeconds);
    }

    static double median(List<Cost> costs, ToDoubleFunction<Cost> part) {
        return Median.of(costs.stream().mapToDouble(part));
    }
}
