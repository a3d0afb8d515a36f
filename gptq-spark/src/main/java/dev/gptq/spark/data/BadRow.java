package dev.gptq.spark.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * A row that cannot be used. Its JSON form travels through the shuffle like a sample and is a line of a quarantine file.
 *
 * @param row its number in the file from 0, or -1 when it is the whole file
 * @param id its id, or null
 * @param reason a clause
 */
record BadRow(String file, long row, String id, String reason) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The row for people: "row 3 of 'a.parquet' (id 7): column 'x' is null". */
    String describe() {
        String place = row < 0 ? "'" + file + "'" : "row " + row + " of '" + file + "'";
        return place + (id == null || row < 0 ? "" : " (id " + id + ")") + ": " + reason;
    }

    byte[] toJson() {
        try {
            return JSON.writeValueAsString(this).getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static BadRow fromJson(byte[] json) {
        try {
            return JSON.readValue(json, BadRow.class);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
