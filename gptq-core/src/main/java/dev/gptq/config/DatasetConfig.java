package dev.gptq.config;

import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One dataset.
 *
 * @param paths files, folders or globs that Hadoop's FileSystem can read; not empty
 * @param format one of {@link DataFormat}; null: from the first path's suffix
 * @param inputs model input name -> mapping, in the order given
 * @param label column with class labels, or null; "folder" in image folders
 * @param classes names of labels that are text, in the order of the model's outputs; null: labels are numbers, or folder
 *     names in their order
 * @param id column with a stable sample id, or null: from the content, or for image files from folder and name
 * @param limit samples taken (those with the smallest order key: a sample of the data that does not depend on how it is
 *     stored), or null for all
 * @param image how encoded images are decoded, or null
 * @param text how text is tokenized, or null
 * @param reader class that reads the dataset instead, or null; see SampleReader
 */
public record DatasetConfig(
        List<String> paths,
        String format,
        Map<String, InputMapping> inputs,
        String label,
        List<String> classes,
        String id,
        Long limit,
        TableConfig table,
        ImageConfig image,
        TextConfig text,
        BadRowsConfig badRows,
        String reader)
        implements Serializable {
    public DatasetConfig {
        String remedy = "Set it to a file, a folder or a glob, or to a list of them";
        Check.that(paths != null && !paths.isEmpty(), "path", "null", "it is required", remedy);
        paths.forEach(path -> Check.text(path, "path", remedy));
        paths = List.copyOf(paths);
        Check.that(
                format == null || DataFormat.named(format) != null,
                "format",
                format,
                "it is not a known format",
                "Use " + DataFormat.names() + ", or null to take it from the path's suffix");
        Check.that(
                inputs != null && !inputs.isEmpty(),
                "inputs",
                inputs,
                "no model input is mapped to a column",
                "Map each model input, for example inputs: {input: {column: image}}");
        inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
        classes = classes == null ? null : List.copyOf(classes);
        if (limit != null) {
            Check.atLeast(limit, 1, "limit");
        }
        Check.that(
                classes == null || classes.stream().distinct().count() == classes.size(),
                "classes",
                classes,
                "a name is there twice",
                "Give each class once, in the order of the model's outputs");
        if (reader != null) {
            LossName.checkClassName("reader", reader);
        }
    }

    /** A dataset of one path without what the longer forms have. */
    public DatasetConfig(
            String path, String format, Map<String, InputMapping> inputs, String label, String id, Long limit) {
        this(
                path == null ? null : List.of(path),
                format,
                inputs,
                label,
                null,
                id,
                limit,
                TableConfig.defaults(),
                null,
                null,
                BadRowsConfig.fail(),
                null);
    }

    /** A dataset without labels, ids or limit whose format follows from its path. */
    public static DatasetConfig of(String path, Map<String, InputMapping> inputs) {
        return new DatasetConfig(path, null, inputs, null, null, null);
    }

    /** A builder for a dataset of these paths. */
    public static DatasetConfigBuilder builder(String... paths) {
        return new DatasetConfigBuilder(List.of(paths));
    }

    /** The paths as messages show them. */
    public String path() {
        return String.join(", ", paths);
    }

    /** The format given, else the one that the first path's suffix names, else images where they are described. */
    public DataFormat resolvedFormat() {
        if (format != null) {
            return DataFormat.named(format);
        }
        DataFormat bySuffix = DataFormat.ofPath(paths.get(0));
        boolean files = image != null && !paths.get(0).endsWith(".parquet") && bySuffix == DataFormat.PARQUET;
        return files ? DataFormat.IMAGES : bySuffix;
    }
}
