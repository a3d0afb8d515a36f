package dev.gptq.spark.data;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/** The whole Fashion-MNIST test set, where it is installed. */
public final class FashionMnist {
    private static final int COUNT = 10_000;
    private static final int PIXELS = 28 * 28;
    private static final int IMAGE_HEADER = 16;
    private static final int LABEL_HEADER = 8;

    private FashionMnist() {}

    /** Whether the four files are in $FASHION_MNIST or where Debian's package puts them. */
    public static boolean isInstalled() {
        return Files.isReadable(folder().resolve("t10k-images-idx3-ubyte.gz"));
    }

    /** Writes all 10,000 test images as npz with arrays {@code image} (uint8 [N,1,28,28]) and {@code label}. */
    public static Path testImages(Path npz) throws IOException {
        byte[] images = read("t10k-images-idx3-ubyte.gz", IMAGE_HEADER, COUNT * PIXELS);
        byte[] labels = read("t10k-labels-idx1-ubyte.gz", LABEL_HEADER, COUNT);
        NumpyFiles.archive(
                npz,
                false,
                Map.of(
                        "image", NumpyFiles.array("|u1", false, COUNT + ", 1, 28, 28", images),
                        "label", NumpyFiles.array("|u1", false, COUNT + ",", labels)));
        return npz;
    }

    private static Path folder() {
        String given = System.getenv("FASHION_MNIST");
        return Path.of(given == null ? "/usr/share/datasets/fashion-mnist" : given);
    }

    private static byte[] read(String file, int header, int length) throws IOException {
        try (InputStream in =
                new GZIPInputStream(new BufferedInputStream(Files.newInputStream(folder().resolve(file))))) {
            byte[] all = in.readAllBytes();
            return Arrays.copyOfRange(all, header, header + length);
        }
    }
}
