package dev.gptq.config;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A tree of {@link RunConfigWriter} as YAML text, with or without the comments of {@link ConfigKeys}. */
final class YamlPrinter {
    private static final int COMMENT_WIDTH = 110;
    private static final String INDENT = "  ";
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z_/][A-Za-z0-9_./-]*");
    private static final Set<String> RESERVED = Set.of("null", "true", "false", "yes", "no", "on", "off", "y", "n");

    private final StringBuilder text = new StringBuilder();

    private YamlPrinter() {}

    static String plain(Map<String, Object> tree) {
        YamlPrinter printer = new YamlPrinter();
        printer.mapping(tree, "", "", false);
        return printer.text.toString();
    }

    /** Every known key; those that do not apply to the tree's values are commented out. */
    static String commented(Map<String, Object> tree) {
        YamlPrinter printer = new YamlPrinter();
        printer.mapping(tree, "", "", true);
        return printer.text.toString();
    }

    private void mapping(Map<?, ?> tree, String path, String indent, boolean explained) {
        for (Map.Entry<?, ?> entry : tree.entrySet()) {
            String name = (String) entry.getKey();
            String child = ConfigKeys.child(path, name);
            ConfigKey key = ConfigKeys.at(child);
            if (explained) {
                if (path.isEmpty() && text.length() > 0) {
                    text.append('\n');
                }
                comment(key, indent);
            }
            text.append(indent).append(scalar(name)).append(':');
            if (entry.getValue() instanceof Map<?, ?> below && !below.isEmpty()) {
                text.append('\n');
                mapping(below, child, indent + INDENT, explained && !ConfigKeys.isAlias(child));
            } else {
                text.append(' ').append(value(entry.getValue())).append('\n');
                boolean off = entry.getValue() == null && !ConfigKeys.isAlias(child);
                if (explained && (off || entry.getValue() instanceof List<?>)) {
                    examples(Map.of(), child, indent + INDENT);
                }
            }
        }
        if (explained) {
            examples(tree, path, indent);
        }
    }

    /** What the tree does not have, commented out. */
    private void examples(Map<?, ?> tree, String path, String indent) {
        for (ConfigKey key : ConfigKeys.children(path)) {
            if (!tree.containsKey(key.name()) && key.example() != null) {
                comment(key, indent);
                text.append(indent)
                        .append("# ")
                        .append(key.name())
                        .append(": ")
                        .append(key.example())
                        .append('\n');
                examples(Map.of(), key.path(), indent + INDENT);
            }
        }
    }

    private void comment(ConfigKey key, String indent) {
        String sentence = key.meaning() + "." + (key.allowed().isEmpty() ? "" : " Allowed: " + key.allowed() + ".");
        StringBuilder line = new StringBuilder(indent).append('#');
        for (String word : sentence.split(" ")) {
            if (line.length() + 1 + word.length() > COMMENT_WIDTH) {
                text.append(line).append('\n');
                line = new StringBuilder(indent).append('#');
            }
            line.append(' ').append(word);
        }
        text.append(line).append('\n');
    }

    static String value(Object value) {
        if (value == null) {
            return "null";
        }
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(entry -> scalar((String) entry.getKey()) + ": " + value(entry.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
        }
        if (value instanceof List<?> list) {
            return list.stream().map(YamlPrinter::value).toList().toString();
        }
        if (value instanceof Double number && number.isInfinite()) {
            return number > 0 ? ".inf" : "-.inf";
        }
        return value instanceof String string ? scalar(string) : value.toString();
    }

    private static String scalar(String string) {
        boolean digits = !string.isEmpty() && string.chars().allMatch(c -> c >= '0' && c <= '9');
        if (digits || (PLAIN.matcher(string).matches() && !RESERVED.contains(string.toLowerCase(Locale.ROOT)))) {
            return string;
        }
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : string.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0)) {
                quoted.append(String.format("\\x%02x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
