package dev.gptq.config;

import java.io.Serializable;

/**
 * How one dataset column becomes one model input: value = (raw * scale - mean) / std.
 *
 * @param column column of a table, or array name of an npz file
 * @param type element type of a binary column (uint8, float32, ...), null for arrays and numbers
 * @param shape shape of one sample without the batch dimension; null: taken from the model
 * @param scale factor of the raw value, default 1
 * @param mean one value or one per channel, default 0
 * @param std one value or one per channel, default 1
 */
public record InputMapping(String column, String type, long[] shape, double scale, double[] mean, double[] std)
        implements Serializable {}
