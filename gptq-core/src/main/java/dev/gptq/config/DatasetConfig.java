package dev.gptq.config;

import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One dataset.
 *
 * @param path a file or directory that Hadoop's FileSystem can read
 * @param format "parquet" or "npz"; null: from the path's suffix
 * @param inputs model input name -> mapping, in the order given
 * @param label column with class labels, or null
 * @param id column with a stable sample id, or null: derived from the content
 * @param limit samples taken (those with the smallest order key), or null for all
 */
public record DatasetConfig(
        String path, String format, Map<String, InputMapping> inputs, String label, String id, Long limit)
        implements Serializable {
    public DatasetConfig {
        Check.text(path, "path", "Set it to a Parquet file or directory, or to an .npz file");
        Check.that(
                format == null || format.equals("parquet") || format.equals("npz"),
                "format",
                format,
                "it is not a known format",
                "Use parquet or npz, or null to take it from the path's suffix");
        Check.that(
                inputs != null && !inputs.isEmpty(),
                "inputs",
                inputs,
                "no model input is mapped to a column",
                "Map each model input, for example inputs: {input: {column: image}}");
        inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
        if (limit != null) {
            Check.atLeast(limit, 1, "limit");
        }
    }

    /** A dataset without labels, ids or limit whose format follows from its path. */
    public static DatasetConfig of(String path, Map<String, InputMapping> inputs) {
        return new DatasetConfig(path, null, inputs, null, null, null);
    }
}
