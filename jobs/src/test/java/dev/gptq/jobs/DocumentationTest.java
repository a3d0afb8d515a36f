package dev.gptq.jobs;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** What pages say of the code, held against the code. */
class DocumentationTest {
    private static final Path HOME = ConfFiles.HOME;
    private static final List<String> MODULES = List.of("gptq-core", "gptq-spark", "jobs");
    private static final Pattern JAVA = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);

    @TempDir
    private Path folder;

    @Test
    void theJavaCodeOfTheReadmeCompiles() throws IOException {
        String code = blocks(HOME.resolve("README.md"), JAVA).get(0);
        Path source = Files.writeString(
                folder.resolve("Example.java"),
                """
                import dev.gptq.calibrate.QuantizationPlan;
                import dev.gptq.config.*;
                import dev.gptq.spark.run.*;
                import java.nio.file.*;
                import java.util.List;
                import org.apache.spark.sql.*;
                class Example {
                    static void run(SparkSession spark) throws java.io.IOException {
                """
                        + code + "}}");
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();

        assertThat(compiler.run(
                        null, null, null, "-proc:none", "-cp", classPath, "-d", folder.toString(), source.toString()))
                .isZero();
    }

    @Test
    void theExamplesOfContributingArePartsOfTheirTestClasses() throws IOException {
        String tests = "";
        for (Path file : files(HOME.resolve("gptq-core/src/test/java"), ".java")) {
            String text = Files.readString(file);
            tests += text.contains("// example: ") ? words(text) : "";
        }
        List<String> examples = blocks(HOME.resolve("gptq-core/CONTRIBUTING.md"), JAVA);

        assertThat(examples).hasSize(3);
        assertThat(tests)
                .contains(examples.stream().map(DocumentationTest::words).toList());
    }

    @Test
    void everyPackageIsDescribedByItselfAndInTheArchitecture() throws IOException {
        Set<String> packages = new TreeSet<>();
        for (String module : MODULES) {
            Path root = HOME.resolve(module).resolve("src/main/java");
            for (Path file : files(root, ".java")) {
                packages.add(root.relativize(file.getParent()).toString().replace(File.separatorChar, '.'));
                assertThat(file.resolveSibling("package-info.java")).exists();
            }
        }
        Matcher rows = Pattern.compile("(?m)^\\| `(dev\\.gptq[a-z.]*)` \\|")
                .matcher(Files.readString(HOME.resolve("gptq-core/ARCHITECTURE.md")));

        assertThat(rows.results().map(row -> row.group(1))).containsExactlyInAnyOrderElementsOf(packages);
    }

    @Test
    void theMessagesOfTheReadmeAreThoseOfTheCode() throws IOException {
        StringBuilder sources = new StringBuilder();
        for (String module : MODULES) {
            for (Path file : files(HOME.resolve(module).resolve("src/main/java"), ".java")) {
                // Literals are joined, so that a message may go over several lines.
                sources.append(Files.readString(file).replaceAll("\"\\s*(\\.formatted\\([^)]*\\)\\s*)?\\+\\s*\"", ""));
            }
        }
        String readme = Files.readString(HOME.resolve("README.md"));
        String section = readme.substring(readme.indexOf("## When something fails"), readme.indexOf("## Platforms"));
        List<String> messages = Pattern.compile("(?m)^\\| `([^`]+)` \\|")
                .matcher(section)
                .results()
                .map(row -> row.group(1))
                .toList();

        assertThat(messages).hasSizeGreaterThan(5);
        for (String message : messages) {
            for (String part : message.split("\\.\\.\\.")) {
                assertThat(sources).contains(part.strip());
            }
        }
    }

    @Test
    void theFilesThatPagesLinkToExist() throws IOException {
        for (Path page : List.of(
                HOME.resolve("gptq-core/ARCHITECTURE.md"),
                HOME.resolve("gptq-core/CONFIGURATION.md"),
                HOME.resolve("gptq-core/CONTRIBUTING.md"),
                HOME.resolve("gptq-core/FROM_MCT.md"),
                HOME.resolve("conf/README.md"),
                HOME.resolve("conf/security/README.md"))) {
            Matcher links = Pattern.compile("\\]\\(([^)#:]+)\\)").matcher(Files.readString(page));
            while (links.find()) {
                assertThat(page.resolveSibling(links.group(1))).exists();
            }
        }
    }

    private static List<String> blocks(Path page, Pattern pattern) throws IOException {
        return pattern.matcher(Files.readString(page))
                .results()
                .map(block -> block.group(1))
                .toList();
    }

    private static String words(String code) {
        return code.replaceAll("\\s+", " ").strip();
    }

    private static List<Path> files(Path root, String suffix) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(file -> file.toString().endsWith(suffix)).toList();
        }
    }
}
