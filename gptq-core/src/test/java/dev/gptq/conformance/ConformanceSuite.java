package dev.gptq.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Finds the ONNX backend node tests: where the environment says, or where Debian's package libonnx-testdata puts them. */
final class ConformanceSuite {
    private static final String VARIABLE = "ONNX_TESTDATA";
    private static final Path PACKAGED = Path.of("/usr/share/libonnx-testdata/data");
    private static final List<String> FOLDERS = List.of("node", "pytorch-converted", "pytorch-operator", "simple");

    private ConformanceSuite() {}

    static String absence() {
        return "no ONNX test data: install libonnx-testdata, or set " + VARIABLE + " to a folder that holds node/";
    }

    static boolean isPresent() {
        return Files.isDirectory(root().resolve(FOLDERS.get(0)));
    }

    /** The folders of all cases, sorted by name within each part of the suite. */
    static List<Path> folders() {
        List<Path> folders = new ArrayList<>();
        for (String part : FOLDERS) {
            if (Files.isDirectory(root().resolve(part))) {
                try (Stream<Path> cases = Files.list(root().resolve(part))) {
                    folders.addAll(cases.filter(folder -> Files.exists(folder.resolve("model.onnx")))
                            .sorted()
                            .toList());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
        return folders;
    }

    private static Path root() {
        String given = System.getenv(VARIABLE);
        return given == null || given.isBlank() ? PACKAGED : Path.of(given);
    }
}
