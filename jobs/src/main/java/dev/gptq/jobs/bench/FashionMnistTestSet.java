package dev.gptq.jobs.bench;

import dev.gptq.GptqException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** All 10,000 test images of Fashion-MNIST, which the project does not contain, as an npz file for the pipeline. */
final class FashionMnistTestSet {
    private static final String VARIABLE = "FASHION_MNIST";
    private static final String PACKAGE_FOLDER = "/usr/share/datasets/fashion-mnist";
    private static final int IMAGE_HEADER = 16;
    private static final int LABEL_HEADER = 8;
    private static final int NPY_ALIGNMENT = 64;
    /** Magic, version 1.0, and the length of the text behind it. */
    private static final int NPY_PREFIX = 10;

    private static final String IMAGES = "t10k-images-idx3-ubyte.gz";

    private FashionMnistTestSet() {}

    private static Path folder() {
        String given = System.getenv(VARIABLE);
        return Path.of(given == null ? PACKAGE_FOLDER : given);
    }

    static boolean isInstalled() {
        return Files.isReadable(folder().resolve(IMAGES));
    }

    /**
     * Writes arrays image (uint8 [10000, 1, 28, 28]) and label (uint8 [10000]).
     *
     * @throws GptqException IO when the data set is not installed
     */
    static void write(Path npz) {
        Path folder = folder();
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(npz))) {
            put(zip, "image", "10000, 1, 28, 28", folder.resolve(IMAGES), IMAGE_HEADER);
            put(zip, "label", "10000,", folder.resolve("t10k-labels-idx1-ubyte.gz"), LABEL_HEADER);
        } catch (IOException e) {
            throw GptqException.io(
                    e,
                    "Cannot read Fashion-MNIST in %s: %s. Install the Debian package dataset-fashion-mnist, or set %s to the "
                            + "folder with its files.",
                    folder,
                    e.getMessage(),
                    VARIABLE);
        }
    }

    private static void put(ZipOutputStream zip, String name, String shape, Path idx, int header) throws IOException {
        zip.putNextEntry(new ZipEntry(name + ".npy"));
        zip.write(npyHeader(shape));
        try (InputStream in = new GZIPInputStream(Files.newInputStream(idx))) {
            in.skipNBytes(header);
            in.transferTo(zip);
        }
        zip.closeEntry();
    }

    private static byte[] npyHeader(String shape) throws IOException {
        StringBuilder text =
                new StringBuilder("{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }".formatted(shape));
        while ((NPY_PREFIX + text.length() + 1) % NPY_ALIGNMENT != 0) {
            text.append(' ');
        }
        text.append('\n');
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        header.write(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) text.length(), 0});
        header.write(text.toString().getBytes(StandardCharsets.US_ASCII));
        return header.toByteArray();
    }
}
