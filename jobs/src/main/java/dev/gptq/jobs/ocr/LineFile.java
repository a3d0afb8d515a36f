package dev.gptq.jobs.ocr;

import dev.gptq.GptqException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Lines as an npz archive: {@code image}, uint8 of shape [lines, 3, height, width], the same picture in each channel. */
final class LineFile {
    static final int CHANNELS = 3;

    private static final int HEADER_UNIT = 64;
    /** Magic number, version and the length of the rest. */
    private static final int HEADER_START = 10;

    private LineFile() {}

    /** Writes the first {@code count} lines of a painter; a file that is there already stays. */
    static void write(Path file, LinePainter painter, int count) {
        if (Files.exists(file)) {
            return;
        }
        try {
            Files.createDirectories(file.getParent());
            Path part =
                    Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part");
            try (ZipOutputStream zip = new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(part)))) {
                zip.putNextEntry(new ZipEntry("image.npy"));
                zip.write(header(count));
                for (int i = 0; i < count; i++) {
                    byte[] pixels = painter.line(i).pixels();
                    for (int channel = 0; channel < CHANNELS; channel++) {
                        zip.write(pixels);
                    }
                }
                zip.closeEntry();
            }
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw GptqException.io(e, "Cannot write %s: %s. Check space and permissions.", file, e.getMessage());
        }
    }

    /** NumPy's format 1.0. */
    private static byte[] header(int count) {
        String text = "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d, %d, %d), }"
                .formatted(count, CHANNELS, LinePainter.HEIGHT, LinePainter.WIDTH);
        int length = (HEADER_START + text.length()) / HEADER_UNIT * HEADER_UNIT + HEADER_UNIT;
        byte[] header = new byte[length];
        byte[] start = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) (length - HEADER_START), 0};
        System.arraycopy(start, 0, header, 0, start.length);
        byte[] padded =
                String.format("%-" + (length - HEADER_START - 1) + "s\n", text).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(padded, 0, header, HEADER_START, padded.length);
        return header;
    }
}
