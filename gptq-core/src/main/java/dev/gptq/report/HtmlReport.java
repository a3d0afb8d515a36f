package dev.gptq.report;

/** metrics.json and configuration -> one self-contained HTML file. */
public final class HtmlReport {
    private HtmlReport() {}

    /** The page; needs no network. {@code manifestJson} is shown as provenance. */
    public static String render(RunMetrics metrics, String configYaml, String manifestJson) {
        throw new UnsupportedOperationException();
    }
}
