package dev.gptq.spark.data;

import java.io.Serializable;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Iterator;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.api.java.function.FlatMapFunction;

/**
 * What there is to know of a dataset's files without a list of them.
 *
 * @param digest sum of the files' SHA-256 modulo 2^256, in which their order does not matter
 * @param first identities of the first files by name, one more than are ever shown
 * @param folders names of the files' folders, or empty where nobody asks
 */
record FileSummary(long count, BigInteger digest, TreeSet<String> first, TreeSet<String> folders)
        implements Serializable {
    /** Files up to which a dataset's identity names each. */
    private static final int LISTED_FILES = 1000;

    private static final BigInteger MODULUS = BigInteger.ONE.shiftLeft(256);

    static FileSummary empty() {
        return new FileSummary(0, BigInteger.ZERO, new TreeSet<>(), new TreeSet<>());
    }

    /** Of files that the driver has listed. */
    static FileSummary of(List<FileStatus> files) {
        return of(files.stream().map(ListedFile::of).iterator(), false);
    }

    private static FileSummary of(Iterator<ListedFile> files, boolean withFolders) {
        long count = 0;
        BigInteger digest = BigInteger.ZERO;
        TreeSet<String> first = new TreeSet<>();
        TreeSet<String> folders = new TreeSet<>();
        while (files.hasNext()) {
            ListedFile file = files.next();
            count++;
            digest = digest.add(sha256(file.identity())).mod(MODULUS);
            first.add(file.identity());
            if (first.size() > LISTED_FILES + 1) {
                first.pollLast();
            }
            if (withFolders) {
                folders.add(file.folder());
            }
        }
        return new FileSummary(count, digest, first, folders);
    }

    /** Both together. */
    FileSummary plus(FileSummary other) {
        return new FileSummary(
                count + other.count,
                digest.add(other.digest).mod(MODULUS),
                Stream.concat(first.stream(), other.first.stream())
                        .sorted()
                        .limit(LISTED_FILES + 1L)
                        .collect(Collectors.toCollection(TreeSet::new)),
                Stream.concat(folders.stream(), other.folders.stream()).collect(Collectors.toCollection(TreeSet::new)));
    }

    /** One line per file, or one for all of them where they are many. */
    List<String> identity() {
        return count <= LISTED_FILES
                ? List.copyOf(first)
                : List.of(count + " files, sum of SHA-256 of names, sizes and times " + digest.toString(16));
    }

    private static BigInteger sha256(String text) {
        try {
            return new BigInteger(
                    1, MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Files of a task -> their summary. */
    record OfFiles(boolean withFolders) implements FlatMapFunction<Iterator<ListedFile>, FileSummary> {
        @Override
        public Iterator<FileSummary> call(Iterator<ListedFile> files) {
            return List.of(of(files, withFolders)).iterator();
        }
    }
}
