package dev.gptq.spark.run;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.calibrate.LayerSettings;
import dev.gptq.config.RunConfig;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * What a run takes of the driver's heap, before anything of it is taken: the model, and in training so many numbers per
 * weight: rounding variables and their moments, the float kernel, parameters and gradients on their way. With a local master
 * the driver computes, and has every lane's gradient, too: there, with Adam and four lanes, the 22.5 million weights of MiniLM,
 * which take about 1900 MB by this count, did not train in 1600 MB and did in 2048. Much depends on when Java collects garbage,
 * so a run is refused only where it is sure not to fit.
 *
 * @param weights trained ones; 0 without training
 * @param bytes that the run takes, about
 * @param available the JVM's maximum
 */
record DriverHeap(long weights, long bytes, long available) {
    private static final long MEGABYTE = 1 << 20;

    /** Of Spark and everything else, whatever the model. */
    private static final long BASE = 200 * MEGABYTE;

    /** The file, its constants, and a copy while executors are sent theirs. */
    private static final int COPIES_OF_MODEL = 3;

    private static final int LOCAL_NUMBERS = 17;
    private static final int CLUSTER_NUMBERS = 12;

    /** Less than this part of what a run takes about is not enough by any means. */
    private static final double LEAST = 0.7;

    /**
     * What a run takes in this JVM.
     *
     * @param modelBytes length of the model with its constants
     * @param local whether tasks run in this JVM, too
     */
    static DriverHeap of(RunConfig config, Graph prepared, long modelBytes, boolean local) {
        long weights = 0;
        for (ComparePoint point :
                LayerSettings.of(prepared, config.quantization()).points()) {
            weights += prepared.constants().get(point.weight()).size();
        }
        boolean trains = config.gptq().nEpochs() > 0;
        long training = trains ? weights * Float.BYTES * (local ? LOCAL_NUMBERS : CLUSTER_NUMBERS) : 0;
        long bytes = BASE + COPIES_OF_MODEL * modelBytes + training;
        return new DriverHeap(trains ? weights : 0, bytes, Runtime.getRuntime().maxMemory());
    }

    /** @throws GptqException CLUSTER when the heap is too small; warns when it may be */
    void check(Consumer<String> warnings) {
        if (available < LEAST * bytes) {
            throw new GptqException(
                    ErrorCode.CLUSTER,
                    "Cannot %s: %s. %s".formatted(weights == 0 ? "start" : "train", reason(), remedy()));
        }
        if (available < bytes) {
            warnings.accept("The driver may run out of memory: " + reason() + ". " + remedy());
        }
    }

    private String reason() {
        String what = weights == 0 ? "this model" : "a model of %d trained weights".formatted(weights);
        return String.format(
                Locale.ROOT,
                "%s takes about %d MB of the driver's heap, which has %d MB",
                what,
                bytes / MEGABYTE,
                available / MEGABYTE);
    }

    private String remedy() {
        return String.format(
                Locale.ROOT,
                "Start with --driver-memory %dm or more (where there is no spark-submit: -Xmx).",
                bytes / MEGABYTE + 1);
    }
}
