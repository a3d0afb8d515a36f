package dev.gptq.spark.run;

import dev.gptq.report.RunMetrics;
import dev.gptq.report.RunMetrics.ModelMetrics;
import java.util.Locale;

/** Whether training was worth it. */
final class TrainingGain {
    /** What samples and seeds explain. */
    private static final double NOISE_DB = 1;

    private TrainingGain() {}

    /** What to tell of a trained model that is clearly worse than the one rounded to nearest; null otherwise. */
    static String warning(RunMetrics metrics) {
        ModelMetrics ptq = metrics.ptq();
        ModelMetrics gptq = metrics.gptq();
        boolean farther = gptq.sqnrDb() < ptq.sqnrDb() - NOISE_DB;
        boolean asRight = gptq.top1() != null && ptq.top1() != null && gptq.top1() >= ptq.top1();
        if (metrics.train().steps() == 0 || !farther || asRight) {
            return null;
        }
        return String.format(
                Locale.ROOT,
                "The trained model is farther from the float model than the one rounded to nearest: SQNR %.1f dB after %d"
                        + " steps, against %.1f dB. Train longer (gptq.n_epochs, more samples) or set recipe: accurate;"
                        + " ptq.onnx has the better one.",
                gptq.sqnrDb(),
                metrics.train().steps(),
                ptq.sqnrDb());
    }
}
