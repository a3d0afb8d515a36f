package dev.gptq.spark.run;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** Times stages and tells the listener about them; one stage runs at a time. */
final class StageClock {
    static final String PREPARE = "prepare";
    static final String CALIBRATE = "calibrate";
    /** Only of runs that choose bits. */
    static final String MIXED_PRECISION = "mixed_precision";

    static final String HESSIAN = "hessian";
    /** Only of runs that start from compensated kernels. */
    static final String COMPENSATE = "compensate";

    static final String TRAIN = "train";
    static final String EXPORT = "export";
    static final String EVALUATE = "evaluate";
    static final long UNKNOWN = -1;

    private static final List<String> STAGES =
            List.of(PREPARE, CALIBRATE, MIXED_PRECISION, HESSIAN, COMPENSATE, TRAIN, EXPORT, EVALUATE);
    private static final Set<String> OPTIONAL = Set.of(MIXED_PRECISION, COMPENSATE);
    private static final String SUFFIX = "_s";
    private static final String TOTAL = "total_s";
    private static final double NANOS_PER_SECOND = 1e9;

    private final ProgressListener listener;
    private final LongSupplier nanoClock;
    private final Map<String, Double> seconds = new HashMap<>();
    private final long begin;
    private Consumer<String> entered = stage -> {};
    private Consumer<Map<String, Double>> finished = timing -> {};
    /** Of processes that worked on the same run before. */
    private double earlierSeconds;

    private String stage;
    private long stageBegin;
    private int samplesPerUnit;
    /** Where counting began, -1 before the first report: a resumed stage has units that cost no time. */
    private long countedFrom;

    private long countingSince;

    StageClock(ProgressListener listener) {
        this(listener, System::nanoTime);
    }

    StageClock(ProgressListener listener, LongSupplier nanoClock) {
        this.listener = listener;
        this.nanoClock = nanoClock;
        this.begin = nanoClock.getAsLong();
        STAGES.stream().filter(name -> !OPTIONAL.contains(name)).forEach(name -> seconds.put(name, 0.0));
    }

    ProgressListener listener() {
        return listener;
    }

    /** The stage that was started last. */
    String stage() {
        return stage;
    }

    /** {@code listener} is told of stages as they start, before anything of them is done. */
    void onStart(Consumer<String> listener) {
        this.entered = listener;
    }

    /** Counts what processes before this one took for the same run: what {@link #timing} told there. */
    void continueFrom(Map<String, Double> earlier) {
        for (String name : STAGES) {
            Double before = earlier.get(name + SUFFIX);
            // A comparison is made anew, not continued.
            if (before != null && !name.equals(EVALUATE)) {
                seconds.merge(name, before, Double::sum);
            }
        }
        earlierSeconds = earlier.getOrDefault(TOTAL, 0.0);
    }

    /** {@code listener} gets {@link #timing} after each stage. */
    void onFinish(Consumer<Map<String, Double>> listener) {
        this.finished = listener;
    }

    void start(String name, long units) {
        start(name, units, 0);
    }

    /** {@code samplesOfUnit} samples are in a unit, so that their rate can be told; 0: it is of no meaning. */
    void start(String name, long units, int samplesOfUnit) {
        stage = name;
        stageBegin = nanoClock.getAsLong();
        samplesPerUnit = samplesOfUnit;
        countedFrom = -1;
        entered.accept(name);
        listener.stageStarted(name, units);
    }

    void advanced(long units, String detail) {
        String rate = rate(units);
        listener.advanced(stage, units, detail.isEmpty() || rate.isEmpty() ? detail + rate : detail + "  " + rate);
    }

    /** Samples per second since the first report, which has none. */
    private String rate(long units) {
        if (samplesPerUnit == 0) {
            return "";
        }
        long now = nanoClock.getAsLong();
        if (countedFrom < 0) {
            countedFrom = units;
            countingSince = now;
        }
        double elapsed = (now - countingSince) / NANOS_PER_SECOND;
        return units == countedFrom || elapsed <= 0
                ? ""
                : String.format(Locale.ROOT, "%.4g samples/s", (units - countedFrom) * samplesPerUnit / elapsed);
    }

    void finish(String format, Object... arguments) {
        double elapsed = (nanoClock.getAsLong() - stageBegin) / NANOS_PER_SECOND;
        seconds.merge(stage, elapsed, Double::sum);
        finished.accept(timing());
        listener.stageFinished(stage, elapsed, String.format(Locale.ROOT, format, arguments));
    }

    /** Seconds of all stages, 0 for those that were not run, and of everything so far, in all processes of the run. */
    Map<String, Double> timing() {
        Map<String, Double> timing = new LinkedHashMap<>();
        STAGES.stream().filter(seconds::containsKey).forEach(name -> timing.put(name + SUFFIX, seconds.get(name)));
        timing.put(TOTAL, earlierSeconds + (nanoClock.getAsLong() - begin) / NANOS_PER_SECOND);
        return timing;
    }
}
