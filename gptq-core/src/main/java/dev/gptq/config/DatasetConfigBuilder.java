package dev.gptq.config;

import java.util.List;
import java.util.Map;

/** Builds a {@link DatasetConfig}; what is not set is as in a configuration that does not have the key. */
public final class DatasetConfigBuilder {
    private final List<String> paths;
    private String format;
    private Map<String, InputMapping> inputs;
    private String label;
    private List<String> classes;
    private String id;
    private Long limit;
    private TableConfig table = TableConfig.defaults();
    private ImageConfig image;
    private TextConfig text;
    private BadRowsConfig badRows = BadRowsConfig.fail();
    private String reader;

    DatasetConfigBuilder(List<String> paths) {
        this.paths = paths;
    }

    /** See {@link DatasetConfig#inputs}. */
    public DatasetConfigBuilder setInputs(Map<String, InputMapping> value) {
        inputs = value;
        return this;
    }

    /** See {@link DatasetConfig#format}. */
    public DatasetConfigBuilder optFormat(String value) {
        format = value;
        return this;
    }

    /** See {@link DatasetConfig#label}. */
    public DatasetConfigBuilder optLabel(String value) {
        label = value;
        return this;
    }

    /** See {@link DatasetConfig#classes}. */
    public DatasetConfigBuilder optClasses(List<String> value) {
        classes = value;
        return this;
    }

    /** See {@link DatasetConfig#id}. */
    public DatasetConfigBuilder optId(String value) {
        id = value;
        return this;
    }

    /** See {@link DatasetConfig#limit}. */
    public DatasetConfigBuilder optLimit(Long value) {
        limit = value;
        return this;
    }

    /** See {@link DatasetConfig#table}. */
    public DatasetConfigBuilder optTable(TableConfig value) {
        table = value;
        return this;
    }

    /** See {@link DatasetConfig#image}. */
    public DatasetConfigBuilder optImage(ImageConfig value) {
        image = value;
        return this;
    }

    /** See {@link DatasetConfig#text}. */
    public DatasetConfigBuilder optText(TextConfig value) {
        text = value;
        return this;
    }

    /** See {@link DatasetConfig#badRows}. */
    public DatasetConfigBuilder optBadRows(BadRowsConfig value) {
        badRows = value;
        return this;
    }

    /** See {@link DatasetConfig#reader}. */
    public DatasetConfigBuilder optReader(String value) {
        reader = value;
        return this;
    }

    /** @throws dev.gptq.GptqException BAD_INPUT naming key and value */
    public DatasetConfig build() {
        return new DatasetConfig(paths, format, inputs, label, classes, id, limit, table, image, text, badRows, reader);
    }
}
