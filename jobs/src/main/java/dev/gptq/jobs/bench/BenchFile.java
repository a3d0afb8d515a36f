package dev.gptq.jobs.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.gptq.GptqException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The file of {@code --json}: an array with one object per measurement and a last one that describes the machine. */
final class BenchFile {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private BenchFile() {}

    static void write(Path file, List<Measurement> measurements, Map<String, Object> machine) {
        List<Map<String, Object>> objects = new ArrayList<>();
        measurements.forEach(measurement -> objects.add(object(measurement)));
        objects.add(Map.of("machine", machine));
        try {
            Files.writeString(file, JSON.writeValueAsString(objects) + "\n");
        } catch (IOException e) {
            throw GptqException.io(
                    e, "Cannot write %s: %s. Give --json a file in a folder that exists.", file, e.getMessage());
        }
    }

    private static Map<String, Object> object(Measurement measurement) {
        Limit limit = measurement.limit();
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("name", measurement.name());
        object.put("value", Double.isFinite(measurement.value()) ? measurement.value() : null);
        object.put("unit", measurement.unit());
        object.put("limit", limit == null ? null : limit.value());
        object.put("limit_kind", limit == null ? null : limit.kind().words());
        object.put("holds", limit == null ? null : measurement.holds());
        object.put("conditions", measurement.conditions());
        return object;
    }
}
