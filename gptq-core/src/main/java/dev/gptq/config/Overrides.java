package dev.gptq.config;

import dev.gptq.GptqException;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** "path.to.key=value" applied to a parsed configuration. */
final class Overrides {
    private static final Pattern KEY = Pattern.compile("\"[^\"]+\"|[^.\"]+");
    private static final Pattern PATH = Pattern.compile("(%1$s)(\\.(%1$s))*".formatted(KEY.pattern()));

    private Overrides() {}

    /**
     * Replaces the value at the path, whatever it was; sections on the way are created where they are absent or null. A
     * key that holds a dot is written in double quotes: data.calibration.inputs."input.1".column=image.
     *
     * @throws GptqException BAD_INPUT when the text has no '=', or the path leads through something that is no section
     */
    static ConfigNode.Mapping apply(ConfigNode.Mapping root, String override) {
        int equals = override.indexOf('=');
        String place = "--set " + override;
        if (equals <= 0) {
            throw malformed(override);
        }
        String written = override.substring(0, equals).strip();
        if (!PATH.matcher(written).matches()) {
            throw malformed(override);
        }
        List<String> path = KEY.matcher(written)
                .results()
                .map(key -> key.group().replace("\"", ""))
                .toList();
        ConfigNode value = YamlParser.parseValue(override.substring(equals + 1), place);
        return put(root, path, 0, value, place);
    }

    private static ConfigNode.Mapping put(
            ConfigNode.Mapping mapping, List<String> path, int depth, ConfigNode value, String place) {
        String key = path.get(depth);
        if (depth == path.size() - 1) {
            return mapping.with(key, value);
        }
        ConfigNode below = mapping.entries().get(key);
        if (below == null || below.isNull()) {
            below = new ConfigNode.Mapping(Map.of(), place);
        }
        if (!(below instanceof ConfigNode.Mapping section)) {
            throw GptqException.badInput(
                    "Cannot apply %s: '%s' is %s (%s) and not a section. Set the whole value instead.",
                    place, key, below.shown(), below.place());
        }
        return mapping.with(key, put(section, path, depth + 1, value, place));
    }

    private static GptqException malformed(String override) {
        return GptqException.badInput(
                "Cannot apply --set %s: it does not read path.to.key=value. Write for example gptq.n_epochs=10.",
                override);
    }
}
