package dev.gptq.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

import static org.assertj.core.api.Assertions.assertThat;

/** Keeps CONFIGURATION.md what the code says; -Dconfiguration.write=true writes it. */
class ConfigurationDocumentTest {
    private static final Path DOCUMENT = Path.of("CONFIGURATION.md");

    private static final String HEADER =
            """
            # Configuration

            Every key, as `jobs/bin/gptq config --print-defaults` prints them with comments. This page is written from the code by
            `mvn -pl gptq-core test -Dtest=ConfigurationDocumentTest -Dconfiguration.write=true`.

            A dot stands for a level of YAML, `*` for a name that you choose. Any key can be set on the command line:
            `--set gptq.n_epochs=10`. The defaults are those of the recipe `mct` and the preset `onnxruntime`; what a default depends
            on is said in its meaning. Sections that may be null are switched off with `null`.
            """;

    @Test
    void theDocumentSaysWhatTheCodeTakes() throws IOException {
        String document = document();
        if (Boolean.getBoolean("configuration.write")) {
            Files.writeString(DOCUMENT, document);
        }

        assertThat(Files.readString(DOCUMENT)).isEqualTo(document);
    }

    private static String document() {
        Map<String, Object> defaults =
                new Yaml(new SafeConstructor(new LoaderOptions())).load(RunConfigReader.defaultsAsYaml());
        StringBuilder text = new StringBuilder(HEADER);
        String top = "";
        for (ConfigKey key : ConfigKeys.ALL) {
            String section = key.path().contains(".") || key.allowed().isEmpty()
                    ? key.path().replaceAll("\\..*", "")
                    : "The run";
            if (!section.equals(top)) {
                top = section;
                text.append("\n## ")
                        .append(section.equals("The run") ? section : "`" + section + "`")
                        .append("\n\n");
                text.append("| key | default | allowed | meaning |\n|---|---|---|---|\n");
            }
            text.append("| `").append(key.path()).append("` | ");
            text.append(shownDefault(key, defaults)).append(" | ");
            text.append(cell(key.allowed().isEmpty() ? "a section" : key.allowed()))
                    .append(" | ");
            text.append(cell(key.meaning())).append(" |\n");
        }
        return text.toString();
    }

    /** Required keys have none, and a section has those of its keys. */
    private static String shownDefault(ConfigKey key, Map<String, Object> defaults) {
        if (key.meaning().endsWith("Required") || key.meaning().contains("Required.")) {
            return "required";
        }
        Object value = find(defaults, List.of(key.path().split("\\.")));
        if (value == null || value instanceof Map || (value instanceof Collection<?> list && list.isEmpty())) {
            boolean isNull =
                    value == null && isThere(defaults, List.of(key.path().split("\\.")));
            return isNull ? "`null`" : "";
        }
        if (value instanceof Double number && number.isInfinite()) {
            return "`.inf`";
        }
        return "`" + cell(value.toString()) + "`";
    }

    private static Object find(Object tree, List<String> path) {
        Object found = tree;
        for (String name : path) {
            found = found instanceof Map<?, ?> map ? child(map, name) : null;
        }
        return found;
    }

    private static boolean isThere(Object tree, List<String> path) {
        Object parent = find(tree, path.subList(0, path.size() - 1));
        return parent instanceof Map<?, ?> map && map.containsKey(path.get(path.size() - 1));
    }

    /** For '*' the values of the example's only name. */
    private static Object child(Map<?, ?> map, String name) {
        return name.equals("*") && map.size() == 1 ? map.values().iterator().next() : map.get(name);
    }

    private static String cell(String text) {
        return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*");
    }
}
