package dev.gptq;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class DeviationsTest {
    private static final Pattern REFERENCE = Pattern.compile("`([\\w.]+Test)(?:#(\\w+))?`");

    @Test
    void everyDeviationNamesTestsThatExist() throws Exception {
        String page = page();
        Matcher reference = REFERENCE.matcher(page);
        int references = 0;
        while (reference.find()) {
            Class<?> test = Class.forName("dev.gptq." + reference.group(1));
            String method = reference.group(2);
            assertThat(method == null
                            || Arrays.stream(test.getDeclaredMethods())
                                    .anyMatch(declared -> declared.getName().equals(method)))
                    .as(reference.group())
                    .isTrue();
            references++;
        }
        assertThat(references).isGreaterThanOrEqualTo((int)
                page.lines().filter(line -> line.startsWith("- ")).count());
    }

    @Test
    void everySentenceIsFollowedByItsTest() throws IOException {
        for (String item : page().split("\n- ")) {
            if (item.startsWith("**")) {
                assertThat(REFERENCE.matcher(item).find()).as(item).isTrue();
            }
        }
    }

    private static String page() throws IOException {
        return Files.readString(Path.of("DEVIATIONS.md"));
    }
}
