package dev.gptq.config;

import dev.gptq.GptqException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import static dev.gptq.config.ConfigKey.key;

/** Every key a configuration may have: the one table behind checks, messages and the commented defaults. */
final class ConfigKeys {
    /** Sections that have the keys of another one. */
    private static final Map<String, String> SAME_KEYS = Map.of(
            "data.evaluation", "data.calibration",
            "gptq.optimizer_rest", "gptq.optimizer",
            "gptq.optimizer_bias", "gptq.optimizer",
            "gptq.optimizer_quantization_parameter", "gptq.optimizer");

    static final List<ConfigKey> ALL = Stream.of(
                    List.of(key("model", "a path", "The float ONNX model. Required")),
                    DataKeys.ALL,
                    List.of(key(
                            "recipe",
                            "mct or accurate",
                            "Values of the keys left out: those of Model Compression Toolkit, or more accurate ones at few "
                                    + "bits; see gptq-core/RECIPES.md")),
                    QuantizationKeys.ALL,
                    GptqKeys.ALL,
                    RunKeys.ALL)
            .flatMap(List::stream)
            .toList();

    private ConfigKeys() {}

    /** The keys a section may have, in order; empty when {@code path} is no section. User's names are '*' in paths. */
    static List<ConfigKey> children(String path) {
        String canonical = canonical(path);
        return ALL.stream().filter(key -> key.parent().equals(canonical)).toList();
    }

    /** The key at a path, or null. */
    static ConfigKey at(String path) {
        String canonical = ALL.stream().anyMatch(key -> key.path().equals(path)) ? path : canonical(path);
        return ALL.stream()
                .filter(key -> key.path().equals(canonical))
                .findFirst()
                .orElse(null);
    }

    /** The path of {@code name} in the section at {@code path}: '*' where the section takes any name. */
    static String child(String path, String name) {
        List<ConfigKey> children = children(path);
        boolean anyName = children.size() == 1 && children.get(0).name().equals("*");
        return join(path, anyName ? "*" : name);
    }

    static String join(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /** Whether the section's keys are explained elsewhere. */
    static boolean isAlias(String path) {
        return SAME_KEYS.containsKey(path);
    }

    /** @throws GptqException BAD_INPUT naming path, place and the nearest known key of the first unknown one */
    static void checkKnown(ConfigNode.Mapping root) {
        checkKnown(root, "", "");
    }

    private static void checkKnown(ConfigNode.Mapping mapping, String shownPath, String path) {
        List<String> known = children(path).stream().map(ConfigKey::name).toList();
        for (Map.Entry<String, ConfigNode> entry : mapping.entries().entrySet()) {
            String name = entry.getKey();
            String shownChild = join(shownPath, name);
            if (!known.contains("*") && !known.contains(name)) {
                throw GptqException.badInput(
                        "Cannot use key %s (%s): it is unknown%s. %s has the keys %s.",
                        shownChild,
                        entry.getValue().place(),
                        NearestName.hint(name, known),
                        path.isEmpty() ? "A configuration" : shownPath,
                        String.join(", ", known));
            }
            String child = child(path, name);
            if (children(child).isEmpty()) {
                continue;
            }
            if (entry.getValue() instanceof ConfigNode.Mapping section) {
                checkKnown(section, shownChild, child);
            } else if (entry.getValue() instanceof ConfigNode.Sequence sequence) {
                for (int i = 0; i < sequence.items().size(); i++) {
                    if (sequence.items().get(i) instanceof ConfigNode.Mapping section) {
                        checkKnown(section, shownChild + "[" + i + "]", child);
                    }
                }
            }
        }
    }

    private static String canonical(String path) {
        for (Map.Entry<String, String> same : SAME_KEYS.entrySet()) {
            if (path.equals(same.getKey()) || path.startsWith(same.getKey() + ".")) {
                return same.getValue() + path.substring(same.getKey().length());
            }
        }
        return path;
    }
}
