package dev.gptq.config;

import java.io.Serializable;
import java.util.Map;

/**
 * One dataset.
 *
 * @param format "parquet" or "npz"; null: from the path's suffix
 * @param inputs model input name -> mapping
 * @param label column with class labels, or null
 * @param id column with a stable sample id, or null: derived from the content
 * @param limit samples taken (those with the smallest order key), or null for all
 */
public record DatasetConfig(
        String path, String format, Map<String, InputMapping> inputs, String label, String id, Long limit)
        implements Serializable {}
