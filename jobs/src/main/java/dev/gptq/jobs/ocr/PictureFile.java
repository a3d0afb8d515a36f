package dev.gptq.jobs.ocr;

import dev.gptq.GptqException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.function.IntFunction;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Grey pictures as an npz archive: {@code image}, uint8 of shape [pictures, 3, height, width], the same in each channel. */
final class PictureFile {
    static final int CHANNELS = 3;

    private static final int HEADER_UNIT = 64;
    /** Magic number, version and the length of the rest. */
    private static final int HEADER_START = 10;

    private PictureFile() {}

    /** Writes pictures 0 to {@code count} - 1; a file that is there already stays. */
    static void write(Path file, int count, int height, int width, IntFunction<byte[]> pictures) {
        if (Files.exists(file)) {
            return;
        }
        try {
            Files.createDirectories(file.getParent());
            Path part =
                    Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part");
            try (ZipOutputStream zip = new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(part)))) {
                zip.putNextEntry(new ZipEntry("image.npy"));
                zip.write(header(count, height, width));
                for (int i = 0; i < count; i++) {
                    byte[] pixels = pictures.apply(i);
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
    private static byte[] header(int count, int height, int width) {
        String text = "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d, %d, %d), }"
                .formatted(count, CHANNELS, height, width);
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
