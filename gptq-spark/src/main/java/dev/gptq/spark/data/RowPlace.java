package dev.gptq.spark.data;

import org.apache.spark.sql.Row;

/** Numbers the rows of each file where its format does not. */
final class RowPlace {
    private String file = "";
    private long start;
    private long row;

    /** Moves on to a row that begins with file, number (null: count) and start of its part of the file. */
    void advance(Row values) {
        String nextFile = values.getString(0);
        long nextStart = values.getLong(2);
        if (!values.isNullAt(1)) {
            row = values.getLong(1);
        } else {
            row = nextStart == start && nextFile.equals(file) ? row + 1 : 0;
        }
        file = nextFile;
        start = nextStart;
    }

    /** The current row as a bad one; in a later part of a file rows are numbered from where that begins. */
    BadRow bad(boolean numbered, boolean wholeFile, String id, String reason) {
        String place = numbered || start == 0 ? file : file + " from byte " + start;
        return new BadRow(place, wholeFile ? -1 : row, id, reason);
    }
}
