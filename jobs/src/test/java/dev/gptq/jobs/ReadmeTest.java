package dev.gptq.jobs;

import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** What README.md shows is what the program takes. */
class ReadmeTest {
    private static final Path README = Path.of("..", "README.md");
    private static final Pattern YAML = Pattern.compile("```yaml\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern COMMAND = Pattern.compile("(?m)^jobs/bin/gptq ([^#\\n]*)");

    @Test
    void theConfigurationIsValid() throws IOException {
        RunConfig config = read(List.of());

        assertThat(config.quantization().weights().bits()).isEqualTo(4);
        assertThat(config.calibration().limit()).isEqualTo(1024);
    }

    @Test
    void everyOverrideOfItsCommandsIsAccepted() throws IOException {
        List<List<String>> commands = new ArrayList<>();
        Matcher matcher = COMMAND.matcher(Files.readString(README));
        while (matcher.find()) {
            List<String> words = Arrays.asList(matcher.group(1).strip().split("\\s+"));
            List<String> overrides = new ArrayList<>();
            for (int i = 0; i + 1 < words.size(); i++) {
                if (words.get(i).equals("--set")) {
                    overrides.add(words.get(i + 1));
                }
            }
            commands.add(overrides);
        }

        assertThat(commands).hasSizeGreaterThanOrEqualTo(5);
        assertThat(commands).anySatisfy(overrides -> assertThat(
                        read(overrides).quantization().weights().bits())
                .isEqualTo(3));
        for (List<String> overrides : commands) {
            assertThat(read(overrides).gptq().nEpochs()).isEqualTo(10);
        }
    }

    @Test
    void theFilesItLinksToExist() throws IOException {
        Matcher links = Pattern.compile("\\]\\(([^)#:]+)\\)").matcher(Files.readString(README));
        List<String> found = links.results().map(link -> link.group(1)).toList();

        assertThat(found).isNotEmpty().allSatisfy(link -> assertThat(README.resolveSibling(link))
                .exists());
    }

    private static RunConfig read(List<String> overrides) throws IOException {
        Matcher yaml = YAML.matcher(Files.readString(README));
        assertThat(yaml.find()).isTrue();
        return RunConfigReader.read(yaml.group(1), "README.md", overrides);
    }
}
