package dev.gptq.spark.data;

import dev.gptq.config.DatasetConfig;
import dev.gptq.config.DatasetConfigBuilder;
import dev.gptq.config.InputMapping;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Names that mean something else to URIs or to globs. */
class PathNamesTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"a b", "100%", "a%20b", "[a]", "{a,b}", "\u00fc\u65e5", "a#b"})
    void filesMayBeCalledAnything(String name) throws IOException {
        Path place = Files.createDirectories(folder.resolve(name));
        Files.write(
                place.resolve("x.npy"), NumpyFiles.array("<f4", false, "1, 1, 2, 2", NumpyFiles.floats(1, 2, 3, 4)));
        Files.writeString(place.resolve("x.json"), "{\"image\": [1, 2, 3, 4]}");
        Files.createDirectories(place.resolve("pictures/" + name));
        Files.write(place.resolve("pictures/" + name + "/" + name + ".png"), TestSamples.png(9));

        for (String path : List.of("x.npy", "x.json")) {
            assertThat(samples(dataset(place.resolve(path).toString()))).containsExactly(1, 2, 3, 4);
        }
        assertThat(samples(dataset(place.resolve("pictures").toString()).optImage(TestSamples.grey())))
                .containsExactly(9, 9, 9, 9);
    }

    @Test
    void aFolderWithoutFilesIsEmptyWhateverItsFormat() throws IOException {
        Files.createDirectories(folder.resolve("empty"));

        for (String format : List.of("parquet", "orc", "avro", "json", "csv", "text", "images", "npz")) {
            assertThatThrownBy(() ->
                            samples(dataset(folder.resolve("empty").toString()).optFormat(format)))
                    .as(format)
                    .hasMessageMatching("Cannot use dataset '.*empty': it is empty. Give samples.");
        }
    }

    private static DatasetConfigBuilder dataset(String path) {
        return DatasetConfig.builder(path).setInputs(Map.of("input", InputMapping.of("image")));
    }

    private float[] samples(DatasetConfigBuilder config) {
        String store = folder.resolve("store").toString();
        SamplePreparation.open(TestSpark.session(), config.build(), TestSamples.model())
                .write(store, folder.resolve("quarantine").toString(), 3);
        return SampleStore.open(store, TestSpark.context().hadoopConfiguration())
                .read(0, 1)
                .inputs()
                .get("input")
                .floats();
    }
}
