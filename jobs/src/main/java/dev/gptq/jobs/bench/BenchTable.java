package dev.gptq.jobs.bench;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The measurements as people read them. */
final class BenchTable {
    private static final int SMALL = 100;

    private BenchTable() {}

    static void print(List<Measurement> measurements, PrintWriter out) {
        int width = measurements.stream()
                .mapToInt(measurement -> measurement.name().length())
                .max()
                .orElse(0);
        for (Measurement measurement : measurements) {
            Limit limit = measurement.limit();
            out.println(String.format(
                            Locale.ROOT,
                            "%-" + width + "s  %10s %-6s  %-16s %-7s",
                            measurement.name(),
                            number(measurement.value()),
                            measurement.unit(),
                            limit == null ? "" : limit.kind().words() + " " + number(limit.value()),
                            limit == null ? "" : measurement.holds() ? "holds" : "BROKEN")
                    .stripTrailing());
        }
        out.println();
        out.flush();
    }

    static void print(Map<String, Object> machine, PrintWriter out) {
        machine.forEach((property, value) -> out.println(String.format(Locale.ROOT, "%-16s %s", property, value)));
        out.println();
        out.flush();
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, Math.abs(value) < SMALL ? "%.4g" : "%.0f", value);
    }
}
