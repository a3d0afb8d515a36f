package dev.gptq.spark.exchange;

/**
 * How a member is reached, and where it wants to begin.
 *
 * @param step the step that the member's state is at
 */
public record Endpoint(String executor, String host, int port, int step) {
    private static final String SEPARATOR = "\t";

    /** One line for {@code BarrierTaskContext.allGather}. */
    public String encode() {
        return String.join(SEPARATOR, executor, host, String.valueOf(port), String.valueOf(step));
    }

    /** Reads what {@link #encode} wrote. */
    public static Endpoint decode(String line) {
        String[] parts = line.split(SEPARATOR, -1);
        return new Endpoint(parts[0], parts[1], Integer.parseInt(parts[2]), Integer.parseInt(parts[3]));
    }

    /** For messages. */
    String name() {
        return "executor " + executor + " at " + host + ":" + port;
    }
}
