package dev.gptq.config;

import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How Spark SQL reads a dataset.
 *
 * @param schema columns with their types as in CREATE TABLE; null: from the files (CSV, JSON: inferred from their content)
 * @param options options of Spark's reader, of those in {@link #OPTIONS}
 * @param columns further columns: name -> Spark SQL expression over the file's columns
 * @param filter Spark SQL expression; rows for which it is not true are left out. Null: none
 */
public record TableConfig(String schema, Map<String, String> options, Map<String, String> columns, String filter)
        implements Serializable {
    /** Options that say how text is split and nothing else: others may name classes or files. */
    public static final List<String> OPTIONS = List.of(
            "comment",
            "encoding",
            "enforceSchema",
            "escape",
            "header",
            "lineSep",
            "multiLine",
            "nullValue",
            "quote",
            "sep");

    public TableConfig {
        for (String option : options.keySet()) {
            Check.that(
                    OPTIONS.contains(option),
                    "options." + option,
                    options.get(option),
                    "it is not an option that a configuration may set" + NearestName.hint(option, OPTIONS),
                    "Use " + String.join(", ", OPTIONS));
        }
        options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
        columns = Collections.unmodifiableMap(new LinkedHashMap<>(columns));
        Check.that(filter == null || !filter.isBlank(), "filter", "''", "it is empty", "Use null for no filter");
        Check.that(schema == null || !schema.isBlank(), "schema", "''", "it is empty", "Use null to infer it");
    }

    /** The files' own columns, all rows. */
    public static TableConfig defaults() {
        return new TableConfig(null, Map.of(), Map.of(), null);
    }
}
