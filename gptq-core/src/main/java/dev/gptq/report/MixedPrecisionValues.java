package dev.gptq.report;

import dev.gptq.mixedprecision.BitAssignment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the report shows of chosen bits: a table of kernels and, where they were chosen too, one of activations. */
final class MixedPrecisionValues {
    private static final double FULL_BAR_BITS = 16;

    private MixedPrecisionValues() {}

    /** Values of each table; none without mixed precision. */
    static List<Map<String, Object>> of(BitAssignment chosen) {
        List<Map<String, Object>> tables = new ArrayList<>();
        if (chosen == null) {
            return tables;
        }
        tables.add(table(
                "weights",
                summary(chosen),
                chosen.layers().stream()
                        .map(layer ->
                                row(layer.name(), layer.weights(), layer.bits(), layer.candidates(), layer.noise()))
                        .toList()));
        if (!chosen.activations().isEmpty()) {
            tables.add(table(
                    "activations",
                    "Values of one sample, by the layer that makes them.",
                    chosen.activations().stream()
                            .map(activation -> row(
                                    activation.name(),
                                    activation.values(),
                                    activation.bits(),
                                    activation.candidates(),
                                    activation.noise()))
                            .toList()));
        }
        return tables;
    }

    private static Map<String, Object> table(String what, String summary, List<Map<String, Object>> rows) {
        return Map.of("what", what, "summary", summary, "chosen", rows);
    }

    private static String summary(BitAssignment chosen) {
        StringBuilder text = new StringBuilder(
                        "Output noise is what quantizing this layer alone adds to the model's outputs, ")
                .append(chosen.sensitivity().equals("hessian") ? "estimated from gradients" : "measured")
                .append(" on ")
                .append(chosen.samples())
                .append(" samples, as a share of their energy. The sum over layers is ")
                .append(Figures.number(chosen.noise()))
                .append(
                        chosen.gap() > 0
                                ? String.format(
                                        Locale.ROOT,
                                        ", at most %.2f\u00a0%% above the least possible",
                                        100 * chosen.gap())
                                : ", the least possible")
                .append(" within the budget:");
        for (BitAssignment.BudgetUse use : chosen.budget()) {
            text.append(text.charAt(text.length() - 1) == ':' ? " " : ", ")
                    .append(use.name())
                    .append(' ')
                    .append(Figures.number(use.used()))
                    .append(" of ")
                    .append(Figures.number(use.limit()));
        }
        return text.append(". The file mixed_precision.yaml gives these bits back as configuration.")
                .toString();
    }

    private static Map<String, Object> row(
            String name, long elements, int bits, List<Integer> candidates, double[] noise) {
        List<String> others = new ArrayList<>();
        for (int i = 0; i < noise.length; i++) {
            if (candidates.get(i) != bits) {
                others.add(candidates.get(i) + " bits: " + Figures.number(noise[i]));
            }
        }
        boolean given = candidates.size() == 1;
        return Map.of(
                "name",
                name,
                "elements",
                elements,
                "bits",
                bits,
                "percent",
                String.format(Locale.ROOT, "%.2f", 100 * Math.min(1, bits / FULL_BAR_BITS)),
                "noise",
                noise.length == 0 ? Figures.MISSING : Figures.number(noise[candidates.indexOf(bits)]),
                "others",
                given ? "bits were given" : String.join(", ", others));
    }
}
