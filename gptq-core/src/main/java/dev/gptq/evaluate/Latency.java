package dev.gptq.evaluate;

import dev.gptq.graph.SampleBatch;
import dev.gptq.onnx.OnnxModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How long ONNX Runtime takes for a batch in one model, on one thread.
 *
 * @param medianMillis median over {@code runs} runs
 */
public record Latency(String model, double medianMillis, int runs) {
    private static final int WARM_UP = 3;
    private static final int FEWEST_RUNS = 5;
    private static final int MOST_RUNS = 101;
    private static final long BUDGET_NANOS = 2_000_000_000L;
    private static final double NANOS_PER_MILLI = 1e6;

    /**
     * Measures models side by side: one run of each in turn, so that what disturbs the machine disturbs all of them. Takes
     * two seconds, or as long as a few runs take.
     *
     * @param models name -> model
     * @param batch what every run gets
     */
    public static List<Latency> measure(Map<String, OnnxModel> models, SampleBatch batch) {
        Map<String, OnnxSession> sessions = new LinkedHashMap<>();
        try {
            models.forEach((name, file) -> sessions.put(name, new OnnxSession(file, name)));
            return measure(sessions, batch, BUDGET_NANOS);
        } finally {
            sessions.values().forEach(OnnxSession::close);
        }
    }

    private static List<Latency> measure(Map<String, OnnxSession> sessions, SampleBatch batch, long budget) {
        for (int i = 0; i < WARM_UP; i++) {
            sessions.values().forEach(session -> session.nanosOf(batch.inputs()));
        }
        Map<String, List<Long>> nanos = new LinkedHashMap<>();
        sessions.keySet().forEach(name -> nanos.put(name, new ArrayList<>()));
        long begin = System.nanoTime();
        for (int run = 0; run < MOST_RUNS; run++) {
            sessions.forEach((name, session) -> nanos.get(name).add(session.nanosOf(batch.inputs())));
            if (run + 1 >= FEWEST_RUNS && System.nanoTime() - begin > budget) {
                break;
            }
        }
        List<Latency> latencies = new ArrayList<>();
        nanos.forEach((name, times) -> latencies.add(new Latency(name, median(times) / NANOS_PER_MILLI, times.size())));
        return latencies;
    }

    private static double median(List<Long> values) {
        long[] sorted = values.stream().mapToLong(Long::longValue).toArray();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0;
    }
}
