package dev.gptq.jobs.bench;

/** What a measured value is held to. */
record Limit(Kind kind, double value) {
    enum Kind {
        AT_MOST("at most"),
        AT_LEAST("at least");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        String words() {
            return words;
        }
    }

    static Limit atMost(double value) {
        return new Limit(Kind.AT_MOST, value);
    }

    static Limit atLeast(double value) {
        return new Limit(Kind.AT_LEAST, value);
    }

    /** A value that is not a number holds no limit. */
    boolean holds(double measured) {
        return kind == Kind.AT_MOST ? measured <= value : measured >= value;
    }
}
