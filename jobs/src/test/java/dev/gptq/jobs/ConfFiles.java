package dev.gptq.jobs;

import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import picocli.CommandLine;

import static org.assertj.core.api.Assertions.assertThat;

/** What tests of the files in conf share. */
final class ConfFiles {
    static final Path HOME = Path.of("..").toAbsolutePath().normalize();
    static final Path CONF = HOME.resolve("conf");

    /** Where the image and the machines of a scheduler have the project's files. */
    private static final Pattern INSTALLED = Pattern.compile("/opt/spark-gptq/([A-Za-z0-9._/-]+)");

    private ConfFiles() {}

    static String text(String name) throws IOException {
        return Files.readString(CONF.resolve(name));
    }

    static Map<String, Object> yaml(String text) {
        return new Yaml(new SafeConstructor(new LoaderOptions())).load(text);
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> section(Map<String, Object> yaml, String... path) {
        Map<String, Object> section = yaml;
        for (String name : path) {
            assertThat(section).containsKey(name);
            section = (Map<String, Object>) section.get(name);
        }
        return section;
    }

    /** Checks that the command line takes the arguments, and returns the values of --set. */
    static List<String> overrides(List<String> arguments) {
        CommandLine line = GptqCommand.commandLine(new GptqCommand());
        line.parseArgs(arguments.toArray(String[]::new));
        List<String> overrides = new ArrayList<>();
        for (int i = 0; i + 1 < arguments.size(); i++) {
            if (arguments.get(i).equals("--set")) {
                overrides.add(arguments.get(i + 1));
            }
        }
        return overrides;
    }

    /** The run that a ConfigMap's run.yaml and arguments give. */
    static RunConfig run(List<String> overrides) throws IOException {
        Map<String, Object> map = yaml(text("kubernetes/run-config.yaml"));
        assertThat(map).containsEntry("kind", "ConfigMap").containsEntry("apiVersion", "v1");
        return RunConfigReader.read((String) section(map, "data").get("run.yaml"), "run.yaml", overrides);
    }

    /** Checks that files named in {@code text} are where the Dockerfile puts them. */
    static void requireInstalled(String text) {
        Matcher paths = INSTALLED.matcher(text);
        while (paths.find()) {
            String path = paths.group(1);
            if (!path.equals("gptq-jobs-all.jar")) {
                assertThat(HOME.resolve(path)).exists();
            }
        }
    }

    static String property(String name) throws IOException {
        Matcher value = Pattern.compile("<" + Pattern.quote(name) + ">([^<]*)<")
                .matcher(Files.readString(HOME.resolve("pom.xml")));
        assertThat(value.find()).isTrue();
        return value.group(1);
    }
}
