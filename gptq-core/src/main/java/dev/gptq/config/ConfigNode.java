package dev.gptq.config;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A parsed YAML value that still knows where it was written. Scalars stay text until a key says what they are. */
sealed interface ConfigNode {
    /** Where it was written: "run.yaml, line 3" or "--set a.b=1". */
    String place();

    /** The value as messages show it. */
    String shown();

    /** Whether this is YAML's null. */
    default boolean isNull() {
        return false;
    }

    /** @param plain whether it was written without quotes */
    record Scalar(String text, boolean plain, String place) implements ConfigNode {
        @Override
        public boolean isNull() {
            return plain && (text.isEmpty() || text.equals("~") || text.equalsIgnoreCase("null"));
        }

        @Override
        public String shown() {
            return plain && !text.isEmpty() ? text : "'" + text + "'";
        }
    }

    /** A list. */
    record Sequence(List<ConfigNode> items, String place) implements ConfigNode {
        public Sequence {
            items = List.copyOf(items);
        }

        @Override
        public String shown() {
            return items.stream().map(ConfigNode::shown).toList().toString();
        }
    }

    /** Keys in the order written. */
    record Mapping(Map<String, ConfigNode> entries, String place) implements ConfigNode {
        public Mapping {
            entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
        }

        /** This mapping with one entry added or replaced. */
        Mapping with(String key, ConfigNode value) {
            Map<String, ConfigNode> copy = new LinkedHashMap<>(entries);
            copy.put(key, value);
            return new Mapping(copy, place);
        }

        /** This mapping less some keys. */
        Mapping without(Set<String> keys) {
            Map<String, ConfigNode> copy = new LinkedHashMap<>(entries);
            copy.keySet().removeAll(keys);
            return new Mapping(copy, place);
        }

        @Override
        public String shown() {
            return "{" + String.join(", ", entries.keySet()) + "}";
        }
    }
}
