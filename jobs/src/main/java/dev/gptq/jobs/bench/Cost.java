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

    static Cost of(Work work) throws Exception {
        long cpu = SYSTEM.getProcessCpuTime();
        long wall = System.nanoTime();
        work.run();
        return new Cost((SYSTEM.getProcessCpuTime() - cpu) / NANOS, (System.nanoTime() - wall) / NANOS);
    }

    static double medianCpu(List<Cost> costs) {
        return median(costs, Cost::cpuSeconds);
    }

    static double median(List<Cost> costs, ToDoubleFunction<Cost> part) {
        return Median.of(costs.stream().mapToDouble(part));
    }
}
