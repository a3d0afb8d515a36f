package dev.gptq.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What the report shows of a manifest; one that cannot be parsed is still shown, only not read. */
final class Provenance {
    private static final JsonMapper JSON = new JsonMapper();

    private Provenance() {}

    /** What the manifest says another run of the same will give. */
    static String promise(String manifestJson) {
        return parsed(manifestJson).path("numeric_promise").asText("not stated");
    }

    static String indented(String json) {
        JsonNode node = parsed(json);
        return node.isMissingNode() ? json : node.toPrettyString();
    }

    /** Rows of the table of provenance. */
    static List<Map<String, Object>> facts(String manifestJson) {
        JsonNode manifest = parsed(manifestJson);
        List<Map<String, Object>> facts = new ArrayList<>();
        add(facts, "Created", manifest.path("created"));
        add(facts, "Seed", manifest.path("seed"));
        add(facts, "Device", manifest.path("device"));
        manifest.path("versions").properties().forEach(entry -> add(facts, entry.getKey(), entry.getValue()));
        manifest.path("inputs").properties().forEach(entry -> {
            JsonNode input = entry.getValue();
            String samples =
                    input.hasNonNull("samples") ? ", " + input.get("samples").asText() + " samples" : "";
            facts.add(fact(
                    entry.getKey(),
                    input.path("path").asText() + samples + ", CRC-32C "
                            + input.path("crc32c").asText()));
        });
        return facts;
    }

    private static void add(List<Map<String, Object>> facts, String name, JsonNode value) {
        if (value.isValueNode() && !value.isNull()) {
            facts.add(fact(name, value.asText()));
        }
    }

    private static Map<String, Object> fact(String name, String value) {
        return Map.of("name", name.replace('_', ' '), "value", value);
    }

    private static JsonNode parsed(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            return JSON.missingNode();
        }
    }
}
