package dev.gptq.jobs.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.gptq.engine.Engines;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.package$;

/** What the numbers were measured on. */
final class MachineDescription {
    private static final double GIB = 1L << 30;
    private static final double TENTHS = 10;

    private MachineDescription() {}

    /** Property -> value, in the order to show them. */
    static Map<String, Object> read() {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        Map<String, Object> machine = new LinkedHashMap<>();
        machine.put("cpu", processor());
        machine.put("cores", Runtime.getRuntime().availableProcessors());
        machine.put("memory_gib", Math.round(system.getTotalMemorySize() / GIB * TENTHS) / TENTHS);
        machine.put("load_average", system.getSystemLoadAverage());
        machine.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        machine.put("jdk", System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"));
        machine.put("spark", package$.MODULE$.SPARK_VERSION());

        machine.put("torch", Engines.version());
        machine.put("torch_threads", 1);
        machine.put("omp_num_threads", System.getenv().getOrDefault("OMP_NUM_THREADS", "not set"));
        return machine;
    }

    /** The processor's name where the system tells it, else its architecture. */
    private static String processor() {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException e) {
            return System.getProperty("os.arch");
        }
    }
}
