package dev.gptq.calibrate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gptq.GptqException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/** statistics.json. In counts, a negative number -n stands for n empty bins. */
final class StatisticsJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private StatisticsJson() {}

    static String write(BlockStatistics statistics) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("samples", statistics.samples());
        ObjectNode activations = root.putObject("activations");
        statistics.activations().forEach((tensor, observed) -> {
            ObjectNode node = activations.putObject(tensor);
            Histogram histogram = observed.histogram();
            node.put("min", histogram.min());
            node.put("max", histogram.max());
            node.put("bin_width", histogram.binWidth());
            writeCounts(node.putArray("counts"), histogram.counts());
            if (observed.channels() != null) {
                writeChannels(node.putObject("channels"), observed.channels());
            }
        });
        ObjectNode inputs = root.putObject("layer_inputs");
        statistics.layerInputs().forEach((layer, channels) -> writeChannels(inputs.putObject(layer), channels));
        return root.toString();
    }

    static BlockStatistics read(String json) {
        try {
            JsonNode root = MAPPER.readTree(json);
            Map<String, TensorStatistics> activations = new LinkedHashMap<>();
            root.required("activations")
                    .properties()
                    .forEach(entry -> activations.put(entry.getKey(), readTensor(entry.getValue())));
            Map<String, ChannelStatistics> inputs = new LinkedHashMap<>();
            root.required("layer_inputs")
                    .properties()
                    .forEach(entry -> inputs.put(entry.getKey(), readChannels(entry.getValue())));
            return new BlockStatistics(root.required("samples").longValue(), activations, inputs);
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw GptqException.badInput(
                    "Cannot read activation statistics: %s. Delete statistics.json and run the calibration again.",
                    e.getMessage().lines().findFirst().orElse("malformed JSON"));
        }
    }

    private static TensorStatistics readTensor(JsonNode node) {
        Histogram histogram = Histogram.of(
                node.required("min").floatValue(),
                node.required("max").floatValue(),
                readCounts(node.required("counts")));
        return new TensorStatistics(histogram, node.has("channels") ? readChannels(node.get("channels")) : null);
    }

    private static void writeChannels(ObjectNode node, ChannelStatistics channels) {
        node.put("samples", channels.samples());
        ArrayNode sums = node.putArray("mean_sum");
        ArrayNode min = node.putArray("min");
        ArrayNode max = node.putArray("max");
        for (int channel = 0; channel < channels.meanSum().length; channel++) {
            sums.add(channels.meanSum()[channel]);
            min.add(channels.min()[channel]);
            max.add(channels.max()[channel]);
        }
    }

    private static ChannelStatistics readChannels(JsonNode node) {
        JsonNode sums = node.required("mean_sum");
        double[] meanSum = new double[sums.size()];
        float[] min = new float[meanSum.length];
        float[] max = new float[meanSum.length];
        for (int channel = 0; channel < meanSum.length; channel++) {
            meanSum[channel] = sums.get(channel).doubleValue();
            min[channel] = node.required("min").get(channel).floatValue();
            max[channel] = node.required("max").get(channel).floatValue();
        }
        return new ChannelStatistics(node.required("samples").longValue(), meanSum, min, max);
    }

    private static void writeCounts(ArrayNode array, long[] counts) {
        int empty = 0;
        for (long count : counts) {
            if (count == 0) {
                empty++;
                continue;
            }
            if (empty > 0) {
                array.add(-empty);
                empty = 0;
            }
            array.add(count);
        }
        if (empty > 0) {
            array.add(-empty);
        }
    }

    private static long[] readCounts(JsonNode array) {
        int bins = 0;
        for (JsonNode entry : array) {
            bins += entry.longValue() < 0 ? (int) -entry.longValue() : 1;
        }
        long[] counts = new long[bins];
        int bin = 0;
        for (Iterator<JsonNode> entries = array.elements(); entries.hasNext(); ) {
            long entry = entries.next().longValue();
            if (entry < 0) {
                bin += (int) -entry;
            } else {
                counts[bin++] = entry;
            }
        }
        return counts;
    }
}
