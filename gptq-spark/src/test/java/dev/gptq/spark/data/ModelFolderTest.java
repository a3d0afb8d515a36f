package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ModelFolderTest {
    @TempDir
    private Path disk;

    private Path folder;

    @BeforeEach
    void writeData() throws IOException {
        folder = Files.createDirectory(disk.resolve("with blank"));
        Files.write(folder.resolve("w.bin"), new byte[] {1, 2, 3, 4});
        Files.write(disk.resolve("outside.bin"), new byte[] {1, 2, 3, 4});
        Files.createSymbolicLink(folder.resolve("link.bin"), disk.resolve("outside.bin"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "file:"})
    void dataBesideTheModelAreReadThroughHadoop(String scheme) throws IOException {
        ModelFolder data = new ModelFolder(scheme + folder.resolve("model.onnx"), new Configuration());

        assertThat(data.read("w.bin", 1, 2)).containsExactly(2, 3);
    }

    @Test
    void linksOutOfTheFolderAndShortFilesAreRefused() {
        ModelFolder data = new ModelFolder(folder.resolve("model.onnx").toString(), new Configuration());

        assertThatThrownBy(() -> data.read("link.bin", 0, 4))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("outside the model's folder");
        assertThatThrownBy(() -> data.read("w.bin", 2, 3)).isInstanceOf(EOFException.class);
    }
}
