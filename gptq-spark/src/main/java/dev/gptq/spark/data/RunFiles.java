package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Files of a run directory by their name in it. A file is written under a temporary name and renamed, so that it is there
 * as a whole or not at all; folders are never renamed, which object stores cannot do atomically.
 */
public final class RunFiles {
    private static final int BUFFER_BYTES = 1 << 16;

    private final Path root;
    private final FileSystem files;
    private final Runnable guard;

    private RunFiles(Path root, FileSystem files, Runnable guard) {
        this.root = root;
        this.files = files;
        this.guard = guard;
    }

    /** Fails when the directory must not be changed, as every change here does. */
    public void requireChangeable() {
        guard.run();
    }

    /** The same files; {@code guard} is called before each change and throws when it must not be made. */
    public RunFiles guardedBy(Runnable guard) {
        return new RunFiles(root, files, guard);
    }

    /** Gives access to a directory, which need not be there yet. */
    public static RunFiles of(String root, Configuration hadoop) {
        try {
            Path path = new Path(root);
            FileSystem files = Files.of(path, hadoop);
            return new RunFiles(files.makeQualified(path), files, () -> {});
        } catch (IllegalArgumentException | IOException e) {
            throw GptqException.io(
                    e, "Cannot use run directory '%s': %s. Correct output.path.", root, Files.firstLine(e));
        }
    }

    /** A file and its checksum. */
    public record Checksum(String name, long bytes, String crc32c) {}

    /** The full path of a file or folder of the directory. */
    public String path(String name) {
        return new Path(root, name).toString();
    }

    public String root() {
        return root.toString();
    }

    /** Whether the directory itself is there. */
    public boolean exists() {
        return attempt("look for", "", () -> files.exists(root));
    }

    public boolean exists(String name) {
        return attempt("look for", name, () -> files.exists(new Path(root, name)));
    }

    public byte[] read(String name) {
        return attempt("read", name, () -> {
            try (FSDataInputStream in = files.open(new Path(root, name))) {
                return in.readAllBytes();
            }
        });
    }

    /** What is made of a file's content. */
    @FunctionalInterface
    public interface Reader<T> {
        T readFrom(InputStream in) throws IOException;
    }

    /** Reads a file of any size as a stream. */
    public <T> T read(String name, Reader<T> reader) {
        return attempt("read", name, () -> {
            try (FSDataInputStream in = files.open(new Path(root, name))) {
                return reader.readFrom(in);
            }
        });
    }

    public String readText(String name) {
        return new String(read(name), StandardCharsets.UTF_8);
    }

    /** Writes a file as a whole; a former one of this name is replaced. */
    public void write(String name, byte[] content) {
        write(name, out -> out.write(content));
    }

    /** What a file will hold. */
    @FunctionalInterface
    public interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    /** As the other one, for content of any size. */
    public void write(String name, Content content) {
        guard.run();
        attempt("write", name, () -> {
            Path target = new Path(root, name);
            Path temporary = new Path(target.getParent(), "." + target.getName() + ".writing");
            try (FSDataOutputStream out = files.create(temporary, true)) {
                content.writeTo(out);
            }
            // POSIX replaces the target in one step; other file systems want it gone first.
            if (!Files.rename(files, temporary, target)
                    && !(files.delete(target, false) && Files.rename(files, temporary, target))) {
                throw new IOException("rename from " + temporary.getName() + " failed");
            }
            return null;
        });
    }

    public void writeText(String name, String content) {
        write(name, content.getBytes(StandardCharsets.UTF_8));
    }

    /** Writes a file in place, so that it is there at every moment, if not always as a whole. */
    public void overwrite(String name, byte[] content) {
        attempt("write", name, () -> {
            try (FSDataOutputStream out = files.create(new Path(root, name), true)) {
                out.write(content);
            }
            return null;
        });
    }

    /** Creates a file that must not be there yet; false when it is. */
    public boolean createNew(String name, byte[] content) {
        return attempt("write", name, () -> {
            Path path = new Path(root, name);
            try (FSDataOutputStream out = files.create(path, false)) {
                out.write(content);
                return true;
            } catch (IOException e) {
                // File systems differ in the type of this exception; what counts is whether the file is there.
                if (files.exists(path)) {
                    return false;
                }
                throw e;
            }
        });
    }

    /** Milliseconds since 1970 at which a file was written last. */
    public long writtenAt(String name) {
        return attempt(
                "read", name, () -> files.getFileStatus(new Path(root, name)).getModificationTime());
    }

    /** Creates the directory itself; whether it was not there before. */
    public boolean create() {
        return attempt("create", "", () -> {
            boolean isNew = !files.exists(root);
            if (!files.mkdirs(root)) {
                throw new IOException("a parent is a file or may not be written to");
            }
            return isNew;
        });
    }

    /** Deletes a file or folder when it is there. */
    public void delete(String name) {
        guard.run();
        attempt("delete", name, () -> files.delete(new Path(root, name), true));
    }

    /** Deletes the directory itself if nothing is in it. */
    public void deleteIfEmpty() {
        attempt("delete", "", () -> files.listStatus(root).length == 0 && files.delete(root, false));
    }

    /** Names of a folder's visible children, sorted; empty when the folder is not there. */
    public List<String> list(String folder) {
        return attempt("list", folder, () -> {
            Path path = folder.isEmpty() ? root : new Path(root, folder);
            if (!files.exists(path)) {
                return List.of();
            }
            return Arrays.stream(files.listStatus(path))
                    .map(status -> status.getPath().getName())
                    .filter(RunFiles::isVisible)
                    .sorted()
                    .toList();
        });
    }

    /** Checksums of all visible files under a name (a file or a folder), in name order. */
    public List<Checksum> checksums(String name) {
        return attempt("read", name, () -> {
            List<Checksum> found = new ArrayList<>();
            addChecksums(name, files.getFileStatus(new Path(root, name)), found);
            return found;
        });
    }

    private void addChecksums(String name, FileStatus status, List<Checksum> found) throws IOException {
        if (status.isFile()) {
            found.add(checksum(name, status));
            return;
        }
        FileStatus[] children = files.listStatus(status.getPath());
        Arrays.sort(children);
        for (FileStatus child : children) {
            String childName = child.getPath().getName();
            if (isVisible(childName)) {
                addChecksums(name + "/" + childName, child, found);
            }
        }
    }

    private Checksum checksum(String name, FileStatus status) throws IOException {
        Crc32cCounter crc = new Crc32cCounter();
        byte[] buffer = new byte[BUFFER_BYTES];
        try (FSDataInputStream in = files.open(status.getPath())) {
            for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                crc.update(buffer, 0, length);
            }
        }
        return new Checksum(name, status.getLen(), crc.value());
    }

    private static boolean isVisible(String name) {
        return name.charAt(0) != '.' && name.charAt(0) != '_';
    }

    private interface Action<T> {
        T run() throws IOException;
    }

    private <T> T attempt(String verb, String name, Action<T> action) {
        try {
            return action.run();
        } catch (IOException e) {
            throw GptqException.io(
                    e,
                    "Cannot %s '%s': %s. Check access rights, free space and output.path.",
                    verb,
                    name.isEmpty() ? root : new Path(root, name),
                    Files.firstLine(e));
        }
    }
}
