package dev.gptq.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/** metrics.json, details.json and configuration -> one self-contained HTML file. */
public final class HtmlReport {
    /** uPlot (MIT licence), the chart library, as its WebJar has it. */
    private static final String CHARTS = "/META-INF/resources/webjars/uplot/1.6.30/";

    private static final String UNNAMED = "Quantized model";

    private HtmlReport() {}

    /**
     * The page; needs no network. {@code manifestJson} is shown as provenance.
     *
     * <p>Every number is in a table, so the page reads without scripts; charts are drawn on top. The page forbids itself every
     * load by a Content-Security-Policy (pictures are inside), and no name from the model or the configuration can add markup
     * to it.
     *
     * @param configYaml the run's configuration, shown as it is; its {@code model} names the page
     */
    public static String render(RunMetrics metrics, ReportDetails details, String configYaml, String manifestJson) {
        Map<String, Object> values = new HashMap<>(ReportValues.of(metrics, details));
        values.putAll(DetailValues.of(metrics, details));
        values.put("facts", Provenance.facts(manifestJson));
        values.put("title", title(configYaml));
        values.put("configuration", configYaml);
        values.put("manifest", Provenance.indented(manifestJson));
        values.put("promise", Provenance.promise(manifestJson));
        values.put("data", ChartData.of(metrics, details));
        values.put("chartStyle", resource(CHARTS + "dist/uPlot.min.css"));
        values.put("chartScript", resource(CHARTS + "dist/uPlot.iife.min.js"));
        values.put("chartLicence", resource(CHARTS + "LICENSE"));
        values.put("style", resource("report.css"));
        values.put("script", resource("report.js"));
        return Template.fill(resource("report.html"), values);
    }

    /** The model's file name; a configuration that cannot be parsed is still shown, only not read. */
    private static String title(String configYaml) {
        try {
            // SnakeYAML itself: Jackson's parser does not take YAML's infinity, which is the default of z_threshold.
            Object config = new Yaml(new SafeConstructor(new LoaderOptions())).load(configYaml);
            String path = config instanceof Map<?, ?> keys && keys.get("model") instanceof String model ? model : "";
            return path.isEmpty() ? UNNAMED : path.substring(path.lastIndexOf('/') + 1);
        } catch (YAMLException e) {
            return UNNAMED;
        }
    }

    private static String resource(String name) {
        try (InputStream stream = HtmlReport.class.getResourceAsStream(name)) {
            if (stream == null) {
                throw new IllegalStateException("The report's resource '" + name + "' is not on the class path.");
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
