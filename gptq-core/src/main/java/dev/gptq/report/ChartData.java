package dev.gptq.report;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gptq.calibrate.ActivationHistogram;
import dev.gptq.train.LearningRates;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/** The charts' numbers as JSON that is safe inside a script element: it holds no {@code <}. */
final class ChartData {
    /** Steps of a loss curve, at most: more than a screen has pixels for. */
    private static final int STEPS = 4000;

    private ChartData() {}

    static String of(RunMetrics metrics, ReportDetails details) {
        ObjectNode data = new JsonMapper().createObjectNode();
        addLayers(data.putArray("layers"), metrics, details);
        addTraining(data, metrics.train());
        addRates(data, details.learningRates());
        ArrayNode activations = data.putArray("activations");
        for (ActivationHistogram histogram : details.activations()) {
            ObjectNode entry = activations.addObject();
            entry.put("name", histogram.tensor());
            entry.put("first", histogram.firstEdge());
            entry.put("width", histogram.binWidth());
            entry.put("low", histogram.rangeMin());
            entry.put("high", histogram.rangeMax());
            ArrayNode counts = entry.putArray("counts");
            Arrays.stream(histogram.counts()).forEach(counts::add);
        }
        return data.toString()
                .replace("<", "\\u003c")
                .replace("\u2028", "\\u2028")
                .replace("\u2029", "\\u2029");
    }

    private static void addLayers(ArrayNode layers, RunMetrics metrics, ReportDetails details) {
        Map<String, RoundingFlips> flips = details.rounding().stream()
                .collect(Collectors.toMap(RoundingFlips::layer, layer -> layer, (first, same) -> first));
        for (RunMetrics.Layer layer : metrics.layers()) {
            ObjectNode entry = layers.addObject();
            entry.put("name", layer.name());
            entry.put("weight", finite(layer.hessianWeight()));
            entry.put("ptq", finite(layer.sqnrPtqDb()));
            entry.put("gptq", finite(layer.sqnrGptqDb()));
            RoundingFlips rounding = flips.get(layer.name());
            if (rounding != null && rounding.weights() > 0) {
                entry.put("up", 100.0 * rounding.up() / rounding.weights());
                entry.put("down", 100.0 * rounding.down() / rounding.weights());
            }
        }
    }

    private static void addTraining(ObjectNode data, RunMetrics.Training train) {
        int steps = train == null || train.loss() == null ? 0 : train.loss().length;
        int every = (steps + STEPS - 1) / STEPS;
        ArrayNode shown = data.putArray("steps");
        for (int step = 0; step < steps; step += every) {
            shown.add(step);
        }
        series(data.putArray("loss"), train == null ? null : train.loss(), every);
        series(data.putArray("distillation"), train == null ? null : train.distillationLoss(), every);
        series(data.putArray("regularization"), train == null ? null : train.regularization(), every);
    }

    private static void addRates(ObjectNode data, LearningRates rates) {
        if (rates != null) {
            ObjectNode entry = data.putObject("rates");
            ArrayNode steps = entry.putArray("steps");
            Arrays.stream(rates.steps()).forEach(steps::add);
            ObjectNode series = entry.putObject("series");
            rates.rates().forEach((name, values) -> series(series.putArray(name), values, 1));
        }
    }

    private static void series(ArrayNode target, double[] values, int every) {
        for (int i = 0; values != null && i < values.length; i += every) {
            target.add(finite(values[i]));
        }
    }

    private static Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }
}
