package dev.gptq.report;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Fills an HTML template: {@code {{name}}} is a value with HTML's special characters escaped, {@code {{{name}}}} a value
 * as it is, and {@code {{#name}}...{{/name}}} is repeated for each map of a list, or shown once when {@code name} is true
 * (a subset of Mustache; sections of one name do not nest). Inside a repeated section, outer names stay visible.
 */
final class Template {
    private static final Pattern TAG = Pattern.compile(
            "\\{\\{#(?<section>\\w+)}}(?<body>.*?)\\{\\{/\\k<section>}}"
                    + "|\\{\\{\\{(?<raw>\\w+)}}}|\\{\\{(?<name>\\w+)}}",
            Pattern.DOTALL);

    private Template() {}

    static String fill(String template, Map<String, ?> values) {
        return fill(template, values, Map.of());
    }

    private static String fill(String template, Map<String, ?> values, Map<String, ?> outer) {
        StringBuilder page = new StringBuilder();
        Matcher tag = TAG.matcher(template);
        int end = 0;
        while (tag.find()) {
            page.append(template, end, tag.start());
            end = tag.end();
            if (tag.group("section") != null) {
                page.append(section(tag.group("body"), value(tag.group("section"), values, outer), values, outer));
            } else if (tag.group("raw") != null) {
                page.append(value(tag.group("raw"), values, outer));
            } else {
                page.append(escape(String.valueOf(value(tag.group("name"), values, outer))));
            }
        }
        return page.append(template, end, template.length()).toString();
    }

    private static String section(String body, Object value, Map<String, ?> values, Map<String, ?> outer) {
        if (!(value instanceof List<?> items)) {
            return Boolean.TRUE.equals(value) ? fill(body, values, outer) : "";
        }
        StringBuilder repeated = new StringBuilder();
        for (Object item : items) {
            @SuppressWarnings("unchecked")
            Map<String, ?> row = (Map<String, ?>) item;
            repeated.append(fill(body, row, values));
        }
        return repeated.toString();
    }

    private static Object value(String name, Map<String, ?> values, Map<String, ?> outer) {
        Object value = values.containsKey(name) ? values.get(name) : outer.get(name);
        if (value == null) {
            throw new IllegalArgumentException("The template names '" + name + "', which has no value.");
        }
        return value;
    }

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
