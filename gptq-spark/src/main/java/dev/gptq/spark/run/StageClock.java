package dev.gptq.spark.run;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Times stages and tells the listener about them; one stage runs at a time. */
final class StageClock {
    static final String PREPARE = "prepare";
    static final String CALIBRATE = "calibrate";
    /** Only of runs that choose bits. */
    static final String MIXED_PRECISION = "mixed_precision";

    static final String HESSIAN = "hessian";
    static final String TRAIN = "train";
    static final String EXPORT = "export";
    static final String EVALUATE = "evaluate";
    static final long UNKNOWN = -1;

    private static final List<String> STAGES =
            List.of(PREPARE, CALIBRATE, MIXED_PRECISION, HESSIAN, TRAIN, EXPORT, EVALUATE);
    private static final double NANOS_PER_SECOND = 1e9;

    private final ProgressListener listener;
    private final Map<String, Double> seconds = new HashMap<>();
    private final long begin = System.nanoTime();
    private String stage;
    private long stageBegin;

    StageClock(ProgressListener listener) {
        this.listener = listener;
        STAGES.stream().filter(name -> !name.equals(MIXED_PRECISION)).forEach(name -> seconds.put(name, 0.0));
    }

    ProgressListener listener() {
        return listener;
    }

    void start(String name, long units) {
        stage = name;
        stageBegin = System.nanoTime();
        listener.stageStarted(name, units);
    }

    void advanced(long units, String detail) {
        listener.advanced(stage, units, detail);
    }

    void finish(String format, Object... arguments) {
        double elapsed = (System.nanoTime() - stageBegin) / NANOS_PER_SECOND;
        seconds.put(stage, elapsed);
        listener.stageFinished(stage, elapsed, String.format(Locale.ROOT, format, arguments));
    }

    /** Seconds of all stages, 0 for those that were not run, and of everything so far. */
    Map<String, Double> timing() {
        Map<String, Double> timing = new LinkedHashMap<>();
        STAGES.stream().filter(seconds::containsKey).forEach(name -> timing.put(name + "_s", seconds.get(name)));
        timing.put("total_s", (System.nanoTime() - begin) / NANOS_PER_SECOND);
        return timing;
    }
}
