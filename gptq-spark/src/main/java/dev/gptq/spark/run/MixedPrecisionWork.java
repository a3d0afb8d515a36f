package dev.gptq.spark.run;

import dev.gptq.calibrate.BlockStatistics;
import dev.gptq.config.MixedPrecisionConfig;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.mixedprecision.BitAssignment;
import dev.gptq.mixedprecision.BitChoices;
import dev.gptq.mixedprecision.BitSearch;
import dev.gptq.mixedprecision.CandidateQuantizers;
import dev.gptq.mixedprecision.SensitivityMeasure;
import dev.gptq.mixedprecision.SensitivitySums;
import dev.gptq.spark.data.RunFiles;
import dev.gptq.spark.mixedprecision.SensitivityStage;
import dev.gptq.spark.task.BlockJob;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Chooses bits: between calibration statistics and plan, where the configuration asks for it. Its result is in two files,
 * one for programs and one to be given back as configuration; with them there a resumed run measures nothing.
 */
final class MixedPrecisionWork {
    private MixedPrecisionWork() {}

    /**
     * The configuration with the chosen bits.
     *
     * @param samples number of calibration samples
     * @param hessians of the kernels whose thresholds need them; not read when bits have been chosen
     */
    static QuantizationConfig choose(RunContext context, long samples, Map<String, float[]> hessians) {
        QuantizationConfig config = context.config().quantization();
        MixedPrecisionConfig mixed = config.mixedPrecision();
        StageClock clock = context.clock();
        long measured = Math.min(samples, mixed.samples());
        int blockSize = SensitivityMeasure.blockSize(mixed.sensitivity());
        clock.start(StageClock.MIXED_PRECISION, (measured + blockSize - 1) / blockSize);
        boolean reused = context.files().exists(RunDirectory.MIXED_PRECISION);
        if (!reused) {
            BitAssignment chosen = context.apart(
                    StageClock.MIXED_PRECISION, measured, blockSize, job -> search(context, job, hessians));
            context.files().writeText(RunDirectory.MIXED_PRECISION_YAML, chosen.toYaml(config));
            context.files().writeText(RunDirectory.MIXED_PRECISION, chosen.toJson());
        }
        BitAssignment chosen = read(context.files());
        clock.finish("%s%s", summary(chosen), reused ? ", reused" : "");
        return chosen.apply(config);
    }

    private static BitAssignment search(RunContext context, BlockJob job, Map<String, float[]> hessians) {
        QuantizationConfig config = context.config().quantization();
        BlockStatistics statistics = BlockStatistics.fromJson(context.files().readText(RunDirectory.STATISTICS));
        BitChoices choices = BitChoices.of(context.prepared(), config);
        CandidateQuantizers candidates =
                CandidateQuantizers.of(context.prepared(), statistics, config, hessians, choices);
        SensitivitySums sums = SensitivityStage.run(
                job,
                config.mixedPrecision().sensitivity(),
                choices,
                candidates,
                context.config().seed(),
                done -> context.clock().advanced(done, ""));
        return BitSearch.search(choices, sums, config.mixedPrecision());
    }

    /** What was chosen in this run, or null without mixed precision. */
    static BitAssignment read(RunFiles files) {
        return files.exists(RunDirectory.MIXED_PRECISION)
                ? BitAssignment.fromJson(files.readText(RunDirectory.MIXED_PRECISION))
                : null;
    }

    /** "3 layers of 2 bits, 2 of 4 bits; weights_bits 2.9 of 3". */
    private static String summary(BitAssignment chosen) {
        Map<Integer, Integer> counts = new TreeMap<>();
        chosen.layers().forEach(layer -> counts.merge(layer.bits(), 1, Integer::sum));
        StringBuilder text = new StringBuilder();
        counts.forEach((bits, layers) -> text.append(text.isEmpty() ? "" : ", ")
                .append(layers)
                .append(layers == 1 ? " layer" : " layers")
                .append(" of ")
                .append(bits)
                .append(" bits"));
        for (BitAssignment.BudgetUse use : chosen.budget()) {
            text.append(String.format(Locale.ROOT, "; %s %.4g of %.4g", use.name(), use.used(), use.limit()));
        }
        return text.toString();
    }
}
