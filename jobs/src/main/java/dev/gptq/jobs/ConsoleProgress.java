package dev.gptq.jobs;

import dev.gptq.Redaction;
import dev.gptq.spark.run.ProgressListener;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Progress for people: stage, units done, what the stage says of itself, and the time left. On a terminal each stage is one
 * line that is redrawn; elsewhere a stage prints a line when it starts, at most one every two seconds while it runs, and one
 * when it ends.
 */
final class ConsoleProgress implements ProgressListener {
    private static final long REDRAW_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long LINE_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final int SECONDS_PER_HOUR = 3600;
    private static final int BAR_WIDTH = 30;
    private static final int LINE_WIDTH = 110;
    private static final int LABEL_WIDTH = 10;
    private static final String CLEAR_LINE = "\r\u001b[K";

    private final PrintWriter out;
    private final boolean terminal;
    private final LongSupplier nanoClock;
    private long totalUnits = -1;
    private long lastShown;
    /** Units at the first report of a stage, -1 before it: a resumed stage has units that cost no time. */
    private long firstUnits;

    private long firstReport;
    private boolean lineOpen;

    ConsoleProgress(PrintWriter out, boolean terminal, LongSupplier nanoClock) {
        this.out = out;
        this.terminal = terminal;
        this.nanoClock = nanoClock;
    }

    /** Redraws when standard output is a terminal: the launcher says so, or else Java's console does. */
    static ConsoleProgress onStandardOutput() {
        String told = System.getenv("GPTQ_TTY");
        boolean terminal = told == null ? System.console() != null : told.equals("1");
        return new ConsoleProgress(
                new PrintWriter(System.out, true, StandardCharsets.UTF_8), terminal, System::nanoTime);
    }

    @Override
    public synchronized void stageStarted(String stage, long units) {
        totalUnits = units;
        lastShown = nanoClock.getAsLong();
        firstUnits = -1;
        if (terminal) {
            redraw(bar(stage, 0, ""));
        } else {
            line(label(stage) + "started");
        }
    }

    @Override
    public synchronized void advanced(String stage, long doneUnits, String detail) {
        long now = nanoClock.getAsLong();
        if (firstUnits < 0) {
            firstUnits = doneUnits;
            firstReport = now;
        }
        if (now - lastShown < (terminal ? REDRAW_NANOS : LINE_NANOS)) {
            return;
        }
        lastShown = now;
        if (terminal) {
            redraw(bar(stage, doneUnits, detail) + separated(timeLeft(doneUnits, now)));
        } else {
            line(label(stage) + count(doneUnits) + separated(detail) + separated(timeLeft(doneUnits, now)));
        }
    }

    @Override
    public synchronized void stageFinished(String stage, double seconds, String summary) {
        line(label(stage) + String.format(Locale.ROOT, "done in %.1f s", seconds) + separated(summary));
    }

    @Override
    public synchronized void warning(String warning) {
        line("warning: " + warning);
    }

    /** Prints a line of its own, whatever is being redrawn. */
    synchronized void line(String text) {
        if (lineOpen) {
            out.print(CLEAR_LINE);
            lineOpen = false;
        }
        out.println(Redaction.text(text));
        out.flush();
    }

    private void redraw(String text) {
        out.print(CLEAR_LINE + (text.length() > LINE_WIDTH ? text.substring(0, LINE_WIDTH) : text));
        out.flush();
        lineOpen = true;
    }

    private String bar(String stage, long doneUnits, String detail) {
        if (totalUnits <= 0) {
            return label(stage) + count(doneUnits) + separated(detail);
        }
        int filled = (int) Math.min(BAR_WIDTH, BAR_WIDTH * doneUnits / totalUnits);
        return label(stage) + "[" + "#".repeat(filled) + " ".repeat(BAR_WIDTH - filled) + "] " + count(doneUnits)
                + separated(detail);
    }

    /** From what the units since the first report took; nothing before there is a second one. */
    private String timeLeft(long doneUnits, long now) {
        if (totalUnits <= 0 || doneUnits <= firstUnits || doneUnits >= totalUnits) {
            return "";
        }
        double nanosPerUnit = (double) (now - firstReport) / (doneUnits - firstUnits);
        long seconds = Math.round(nanosPerUnit * (totalUnits - doneUnits) / TimeUnit.SECONDS.toNanos(1));
        return seconds < SECONDS_PER_HOUR
                ? String.format(Locale.ROOT, "%d:%02d left", seconds / 60, seconds % 60)
                : String.format(
                        Locale.ROOT, "%d:%02d:%02d left", seconds / SECONDS_PER_HOUR, seconds / 60 % 60, seconds % 60);
    }

    private String count(long doneUnits) {
        if (totalUnits <= 0) {
            return String.valueOf(doneUnits);
        }
        return doneUnits + "/" + totalUnits + " (" + 100 * doneUnits / totalUnits + "%)";
    }

    private static String label(String stage) {
        return String.format(Locale.ROOT, stage.length() < LABEL_WIDTH ? "%-10s" : "%s  ", stage);
    }

    private static String separated(String text) {
        return text == null || text.isEmpty() ? "" : "  " + text;
    }
}
