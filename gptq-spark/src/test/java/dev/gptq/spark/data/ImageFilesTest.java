package dev.gptq.spark.data;

import dev.gptq.config.DatasetConfig;
import dev.gptq.config.InputMapping;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class ImageFilesTest {
    /** More than the driver lists itself. */
    private static final int MANY = 1001;

    @TempDir
    private static Path folder;

    @Test
    void aLargeFolderIsListedByTasksAndGivesTheSamplesThatItsFilesGive() throws IOException {
        Path many = Files.createDirectories(folder.resolve("deep/many"));
        byte[][] pictures = {TestSamples.png(10), TestSamples.png(20), TestSamples.png(30)};
        for (int i = 0; i < MANY; i++) {
            Files.write(many.resolve(i + ".png"), pictures[i % 3]);
        }

        List<ListedFile> parts = ListedFile.parts(
                List.of(folder.resolve("deep").toString()), TestSpark.context().hadoopConfiguration());
        SamplePreparation whole = open("deep");
        SamplePreparation single = open("deep/many/*.png");

        assertThat(parts).singleElement().satisfies(part -> {
            assertThat(part.isFolder()).isTrue();
            assertThat(part.path()).endsWith("deep/many");
        });
        assertThat(whole.identity())
                .isEqualTo(single.identity())
                .singleElement()
                .asString()
                .startsWith(MANY + " files, sum of SHA-256");
        StoreIndex taken = write(whole);
        assertThat(taken.samples()).isEqualTo(7);
        assertThat(write(single).toJson()).isEqualTo(taken.toJson());

        Files.setLastModifiedTime(many.resolve("500.png"), FileTime.fromMillis(0));
        assertThat(open("deep").identity()).isNotEqualTo(whole.identity());
    }

    @Test
    void filesOfPathsThatOverlapAreThereOnceAndHiddenOnesAreNot() throws IOException {
        for (String name : List.of("some/a.png", "some/in/b.png", "some/_temporary/c.png", "some/.hidden.png")) {
            Files.createDirectories(folder.resolve(name).getParent());
            Files.write(folder.resolve(name), TestSamples.png(1));
        }

        assertThat(open("some", "some/in", "some/a.png", "som*").identity())
                .hasSize(2)
                .anyMatch(file -> file.contains("some/a.png "))
                .anyMatch(file -> file.contains("some/in/b.png "));
    }

    private static SamplePreparation open(String... paths) {
        String[] locations = List.of(paths).stream()
                .map(path -> folder.resolve(path).toString())
                .toArray(String[]::new);
        DatasetConfig config = DatasetConfig.builder(locations)
                .optFormat("images")
                .optImage(TestSamples.grey())
                .optLimit(7L)
                .setInputs(Map.of("input", InputMapping.of("image")))
                .build();
        return SamplePreparation.open(TestSpark.session(), config, TestSamples.model());
    }

    private static StoreIndex write(SamplePreparation preparation) {
        return preparation.write(
                folder.resolve("store").toString(), folder.resolve("quarantine").toString(), 3);
    }
}
