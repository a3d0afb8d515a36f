package dev.gptq.jobs.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

class AccuracyBenchmarkTest {
    private static final int IMAGES = 10_000;

    @TempDir
    Path folder;

    @Test
    void theTestSetIsWrittenAsArraysOfImagesAndTheirLabels() throws IOException {
        assumeTrue(FashionMnistTestSet.isInstalled(), "Fashion-MNIST is not installed");
        Path npz = folder.resolve("test.npz");

        FashionMnistTestSet.write(npz);

        Map<String, byte[]> arrays = new HashMap<>();
        try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(npz))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                arrays.put(entry.getName(), zip.readAllBytes());
            }
        }
        assertThat(arrays).containsOnlyKeys("image.npy", "label.npy");
        byte[] labels = arrays.get("label.npy");
        int header = labels.length - IMAGES;
        assertThat(header).isPositive().isEqualTo(10 + labels[8]);
        assertThat(header % 64).isZero();
        // The classes are balanced.
        int[] count = new int[10];
        for (int i = header; i < labels.length; i++) {
            count[labels[i]]++;
        }
        assertThat(count).containsOnly(IMAGES / 10);
        byte[] images = arrays.get("image.npy");
        assertThat(images.length - 10 - images[8]).isEqualTo(IMAGES * 28 * 28);
    }
}
