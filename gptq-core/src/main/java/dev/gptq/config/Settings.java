package dev.gptq.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** One section of a parsed configuration, read by key with the type that the reader of the key expects. */
final class Settings {
    private static final Map<String, Boolean> FLAGS = Map.of("true", true, "false", false);

    private static final Pattern DECIMAL = Pattern.compile("[-+]?[0-9.]+([eE][-+]?[0-9]+)?");

    private final ConfigNode.Mapping section;
    private final String shownPath;
    private final String path;
    private final String source;

    private Settings(ConfigNode.Mapping section, String shownPath, String path, String source) {
        this.section = section;
        this.shownPath = shownPath;
        this.path = path;
        this.source = source;
    }

    static Settings root(ConfigNode.Mapping root, String source) {
        return new Settings(root, "", "", source);
    }

    Set<String> keys() {
        return section.entries().keySet();
    }

    boolean has(String key) {
        return section.entries().containsKey(key);
    }

    /** Whether the key is there and null. */
    boolean isNull(String key) {
        return has(key) && section.entries().get(key).isNull();
    }

    /** Whether the key holds exactly this text. */
    boolean isText(String key, String text) {
        return section.entries().get(key) instanceof ConfigNode.Scalar scalar
                && scalar.text().equals(text);
    }

    /** The section below; an absent one has no keys. */
    Settings section(String key) {
        ConfigNode node = section.entries().get(key);
        if (node == null) {
            node = new ConfigNode.Mapping(Map.of(), source);
        }
        if (!(node instanceof ConfigNode.Mapping mapping)) {
            throw wrongType(key, node, "a section of keys");
        }
        return new Settings(mapping, ConfigKeys.join(shownPath, key), ConfigKeys.child(path, key), source);
    }

    /** The section below, or where text is written in its place one with that text at {@code only}. */
    Settings sectionOrText(String key, String only) {
        if (section.entries().get(key) instanceof ConfigNode.Scalar scalar && !scalar.isNull()) {
            ConfigNode.Mapping mapping = new ConfigNode.Mapping(Map.of(only, scalar), scalar.place());
            return new Settings(mapping, ConfigKeys.join(shownPath, key), ConfigKeys.child(path, key), source);
        }
        return section(key);
    }

    /** The sections of a list; an absent key has none. */
    List<Settings> sections(String key) {
        ConfigNode node = section.entries().get(key);
        if (node == null) {
            return List.of();
        }
        if (!(node instanceof ConfigNode.Sequence sequence)) {
            throw wrongType(key, node, "a list of sections");
        }
        List<Settings> sections = new ArrayList<>();
        for (ConfigNode item : sequence.items()) {
            if (!(item instanceof ConfigNode.Mapping mapping)) {
                throw wrongType(key, item, "a list of sections");
            }
            String shown = ConfigKeys.join(shownPath, key) + "[" + sections.size() + "]";
            sections.add(new Settings(mapping, shown, ConfigKeys.child(path, key), source));
        }
        return sections;
    }

    String text(String key, String fallback) {
        return value(key, fallback, "text", ConfigNode.Scalar::text);
    }

    boolean flag(String key, boolean fallback) {
        return value(key, fallback, "true or false", scalar -> FLAGS.get(scalar.text()));
    }

    /** A whole number of int range. */
    int whole(String key, int fallback) {
        return value(key, fallback, "a whole number", scalar -> scalar.plain() ? Integer.valueOf(scalar.text()) : null);
    }

    long wholeLong(String key, long fallback) {
        return value(key, fallback, "a whole number", scalar -> scalar.plain() ? Long.valueOf(scalar.text()) : null);
    }

    double number(String key, double fallback) {
        return value(key, fallback, "a number", Settings::parseNumber);
    }

    /** A list of numbers, or one number as a list of one. */
    double[] numbers(String key, double[] fallback) {
        if (!has(key)) {
            return fallback;
        }
        List<Double> values = list(key, "a number or a list of numbers", Settings::parseNumber);
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    /** A list of whole numbers. */
    long[] wholes(String key, long[] fallback) {
        if (!has(key)) {
            return fallback;
        }
        List<Long> values = list(key, "a list of whole numbers", scalar -> Long.valueOf(scalar.text()));
        return values.stream().mapToLong(Long::longValue).toArray();
    }

    /** A list of whole numbers of int range. */
    List<Integer> wholeNumbers(String key, List<Integer> fallback) {
        return has(key)
                ? list(key, "a list of whole numbers", scalar -> scalar.plain() ? Integer.valueOf(scalar.text()) : null)
                : fallback;
    }

    /** A list of texts, or one text as a list of one. */
    List<String> texts(String key, List<String> fallback) {
        return has(key) ? list(key, "text or a list of texts", ConfigNode.Scalar::text) : fallback;
    }

    /** Every key of this section with its text. */
    Map<String, String> allTexts() {
        Map<String, String> texts = new LinkedHashMap<>();
        keys().forEach(key -> texts.put(key, text(key, null)));
        return texts;
    }

    <E extends Enum<E>> E constant(String key, Class<E> type, E fallback) {
        return value(key, fallback, "one of its names", scalar -> Check.constant(type, scalar.text()));
    }

    /** Reads a key that may be null: absent gives the fallback, null gives null. */
    <T> T orNull(String key, T fallback, Function<String, T> reader) {
        if (!has(key)) {
            return fallback;
        }
        return isNull(key) ? null : reader.apply(key);
    }

    /** Builds a record of this section; what it refuses is reported with full path and place. */
    <T> T build(Supplier<T> constructor) {
        try {
            return constructor.get();
        } catch (InvalidValueException e) {
            throw e.at(ConfigKeys.join(shownPath, e.key()), place(e.key()));
        }
    }

    /** The failure of a key that does not fit the rest of its section. */
    InvalidValueException refusal(String key, String problem, String remedy) {
        ConfigNode node = section.entries().get(key);
        return new InvalidValueException(key, node.shown(), problem, remedy)
                .at(ConfigKeys.join(shownPath, key), node.place());
    }

    /** Where the key was written, or the nearest section around an absent one. */
    private String place(String key) {
        String place = path.isEmpty() ? source : section.place();
        ConfigNode node = section;
        for (String name : key.split("\\.")) {
            node = node instanceof ConfigNode.Mapping mapping
                    ? mapping.entries().get(name)
                    : null;
            place = node == null ? place : node.place();
        }
        return place;
    }

    private <T> T value(String key, T fallback, String expected, Function<ConfigNode.Scalar, T> parser) {
        if (!has(key)) {
            return fallback;
        }
        ConfigNode node = section.entries().get(key);
        T parsed = node instanceof ConfigNode.Scalar scalar && !scalar.isNull() ? parse(scalar, parser) : null;
        if (parsed == null) {
            throw wrongType(key, node, expected);
        }
        return parsed;
    }

    private <T> List<T> list(String key, String expected, Function<ConfigNode.Scalar, T> parser) {
        ConfigNode node = section.entries().get(key);
        List<ConfigNode> items = node instanceof ConfigNode.Sequence sequence ? sequence.items() : List.of(node);
        List<T> values = new ArrayList<>();
        for (ConfigNode item : items) {
            T parsed = item instanceof ConfigNode.Scalar scalar && !scalar.isNull() ? parse(scalar, parser) : null;
            if (parsed == null) {
                throw wrongType(key, node, expected);
            }
            values.add(parsed);
        }
        return values;
    }

    private static <T> T parse(ConfigNode.Scalar scalar, Function<ConfigNode.Scalar, T> parser) {
        try {
            return parser.apply(scalar);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static Double parseNumber(ConfigNode.Scalar scalar) {
        if (!scalar.plain()) {
            return null;
        }
        return switch (scalar.text()) {
            case ".inf", "+.inf" -> Double.POSITIVE_INFINITY;
            case "-.inf" -> Double.NEGATIVE_INFINITY;
            case ".nan" -> Double.NaN;
            default -> DECIMAL.matcher(scalar.text()).matches() ? Double.valueOf(scalar.text()) : null;
        };
    }

    private InvalidValueException wrongType(String key, ConfigNode node, String expected) {
        ConfigKey known = ConfigKeys.at(ConfigKeys.child(path, key));
        String allowed = known == null || known.allowed().isEmpty() ? "" : "Allowed: " + known.allowed();
        String remedy = allowed.isEmpty() ? "Write 'key: value' lines below it" : allowed;
        return new InvalidValueException(key, node.shown(), "expected " + expected, remedy)
                .at(ConfigKeys.join(shownPath, key), node.place());
    }
}
