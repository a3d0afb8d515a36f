package dev.gptq.jobs.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Resident memory of processes; known on Linux. */
final class ResidentMemory {
    private static final String LINE = "VmRSS:";
    private static final double KIB_PER_MIB = 1024;

    private ResidentMemory() {}

    /** MiB of a process, NaN where the system does not tell. */
    static double mebibytes(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc", String.valueOf(pid), "status")).stream()
                    .filter(line -> line.startsWith(LINE))
                    .mapToDouble(line -> Double.parseDouble(line.substring(LINE.length())
                                    .replace("kB", "")
                                    .strip())
                            / KIB_PER_MIB)
                    .findFirst()
                    .orElse(Double.NaN);
        } catch (IOException e) {
            return Double.NaN;
        }
    }
}
