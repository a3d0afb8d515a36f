package dev.gptq.spark.data;

/** A sample that cannot be used, with the place it came from. */
final class BadRowException extends Exception {
    private final transient BadRow row;

    BadRowException(BadRow row) {
        super(row.reason());
        this.row = row;
    }

    BadRow row() {
        return row;
    }
}
