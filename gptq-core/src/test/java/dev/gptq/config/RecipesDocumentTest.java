package dev.gptq.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class RecipesDocumentTest {
    @Test
    void theDocumentShowsTheValuesOfTheAccurateRecipe() throws IOException {
        String values = new String(
                        Recipe.class.getResourceAsStream("recipe-accurate.yaml").readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .filter(line -> !line.startsWith("#"))
                .collect(Collectors.joining("\n"));

        assertThat(Files.readString(Path.of("RECIPES.md"))).contains("```yaml\n" + values + "\n```");
    }
}
