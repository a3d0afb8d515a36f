package dev.gptq.jobs.ocr;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class OcrExampleTest {
    private static final int PLANE = LinePainter.WIDTH * LinePainter.HEIGHT;

    @TempDir
    Path folder;

    @Test
    void linesAreWrittenAsNumpyArrayWithTheSamePictureInEachChannel() throws Exception {
        Path file = folder.resolve("lines/calibration.npz");
        LinePainter painter = new LinePainter(3);
        PictureFile.write(file, 2, LinePainter.HEIGHT, LinePainter.WIDTH, i -> painter.line(i)
                .pixels());

        try (InputStream in = Files.newInputStream(file);
                ZipInputStream zip = new ZipInputStream(in)) {
            assertThat(zip.getNextEntry().getName()).isEqualTo("image.npy");
            byte[] array = zip.readAllBytes();
            int header = array.length - 2 * 3 * PLANE;
            assertThat(header).isPositive().isEqualTo(header / 64 * 64);
            assertThat(new String(array, 10, header - 10, StandardCharsets.US_ASCII))
                    .startsWith("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 48, 320), }")
                    .endsWith("\n");
            byte[] second = new LinePainter(3).line(1).pixels();
            for (int channel = 0; channel < 3; channel++) {
                assertThat(array[header + (3 + channel) * PLANE + 777]).isEqualTo(second[777]);
            }
        }
        assertThat(folder.resolve("lines")).isDirectoryNotContaining("glob:**.part");
    }
}
