package dev.gptq.spark.data;

import dev.gptq.GptqException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.util.VersionInfo;

/** Finds file systems and input files through Hadoop, so that every path may lie on any storage. */
public final class Files {
    /** What an array, and a protobuf message, can hold. */
    private static final long LARGEST_FILE = Integer.MAX_VALUE - 8L;

    private static final long MEGABYTE = 1 << 20;

    private static final Pattern GLOB = Pattern.compile("[\\[\\]{}*?]");

    private Files() {}

    /**
     * The file system of a path in a run directory. The local one is used without Hadoop's checksum files: a run directory
     * holds what its contract lists and nothing else, and checksums are in its manifest.
     */
    public static FileSystem of(Path path, Configuration hadoop) throws IOException {
        FileSystem shared = system(path, hadoop);
        if (!shared.getScheme().equals("file")) {
            return shared;
        }
        RawLocalFileSystem local = new RawLocalFileSystem();
        local.initialize(shared.getUri(), hadoop);
        return local;
    }

    /** The file system of a path; BAD_INPUT when nothing on the class path is one of its scheme. */
    static FileSystem system(Path path, Configuration hadoop) throws IOException {
        try {
            return path.getFileSystem(hadoop);
        } catch (UnsupportedFileSystemException e) {
            throw noSystem(path);
        } catch (RuntimeException e) {
            if (e.getCause() instanceof ClassNotFoundException) {
                throw noSystem(path);
            }
            throw e;
        }
    }

    private static GptqException noSystem(Path path) {
        return GptqException.badInput(
                "Cannot use '%s': Spark has no file system of scheme '%s'. Add the module that brings it, for s3a for example"
                        + " --packages org.apache.hadoop:hadoop-aws:%s.",
                path, path.toUri().getScheme(), VersionInfo.getVersion());
    }

    /** Moves a file; false when it did not, as where one is there already: s3a throws then, others return false. */
    static boolean rename(FileSystem files, Path source, Path target) throws IOException {
        try {
            return files.rename(source, target);
        } catch (FileAlreadyExistsException e) {
            return false;
        }
    }

    /** All bytes of an input file; {@code what} is its role in messages, such as "model". */
    public static byte[] readInput(String location, String what, Configuration hadoop) {
        try {
            Path path = new Path(location);
            FileSystem files = system(path, hadoop);
            FileStatus status = files.getFileStatus(path);
            if (status.isDirectory()) {
                throw GptqException.badInput("Cannot read %s '%s': it is a directory. Give a file.", what, location);
            }
            requireRoom(status.getLen(), what, location);
            try (var in = files.open(path)) {
                return in.readAllBytes();
            }
        } catch (FileNotFoundException e) {
            throw missing(what, location);
        } catch (IllegalArgumentException e) {
            throw GptqException.badInput("Cannot read %s '%s': it is no valid path. Correct it.", what, location);
        } catch (IOException e) {
            throw unreadable(e, what, location);
        }
    }

    private static void requireRoom(long bytes, String what, String location) {
        if (bytes > LARGEST_FILE) {
            throw GptqException.badInput(
                    "Cannot read %s '%s': it has %d bytes, and files of its kind have less than 2 GiB. Check the path.",
                    what, location, bytes);
        }
        long heap = Runtime.getRuntime().maxMemory();
        if (bytes > heap / 2) {
            throw GptqException.badInput(
                    "Cannot read %s '%s': it has %d MB, and the driver has %d MB of memory in all. Give it at least %d MB"
                            + " (--driver-memory).",
                    what, location, bytes / MEGABYTE, heap / MEGABYTE, 4 * bytes / MEGABYTE + 1);
        }
    }

    /** The data files of a path (a file, a folder or a glob) in name order; hidden ones are left out. */
    static List<FileStatus> dataFiles(String location, Configuration hadoop) {
        try {
            List<FileStatus> found = new ArrayList<>();
            for (FileStatus match : matches(location, hadoop)) {
                addFiles(match, system(match.getPath(), hadoop), found);
            }
            found.sort((a, b) -> a.getPath().compareTo(b.getPath()));
            return found;
        } catch (FileNotFoundException e) {
            throw missing("dataset", location);
        } catch (IOException e) {
            throw unreadable(e, "dataset", location);
        }
    }

    /** The files and folders of a path or a glob; BAD_INPUT when there are none. */
    static List<FileStatus> matches(String location, Configuration hadoop) {
        try {
            Path path = new Path(pattern(location, hadoop));
            FileStatus[] matches = system(path, hadoop).globStatus(path);
            if (matches == null || matches.length == 0) {
                throw missing("dataset", location);
            }
            return List.of(matches);
        } catch (FileNotFoundException e) {
            throw missing("dataset", location);
        } catch (IllegalArgumentException e) {
            throw GptqException.badInput("Cannot read dataset '%s': it is no valid path. Correct it.", location);
        } catch (IOException e) {
            throw unreadable(e, "dataset", location);
        }
    }

    /** A location as a glob: one that is there by this very name, brackets and all, means itself. */
    static String pattern(String location, Configuration hadoop) throws IOException {
        if (GLOB.matcher(location).find()) {
            Path path = new Path(location);
            if (system(path, hadoop).exists(path)) {
                return GLOB.matcher(location).replaceAll("\\\\$0");
            }
        }
        return location;
    }

    /** The data files of several paths, each of them once. */
    static List<FileStatus> dataFiles(List<String> locations, Configuration hadoop) {
        TreeMap<Path, FileStatus> found = new TreeMap<>();
        locations.forEach(location -> dataFiles(location, hadoop).forEach(file -> found.put(file.getPath(), file)));
        return List.copyOf(found.values());
    }

    static GptqException unreadable(IOException cause, String what, String location) {
        return GptqException.io(
                cause,
                "Cannot read %s '%s': %s. Check access rights and the storage.",
                what,
                location,
                firstLine(cause));
    }

    /** The first line of a failure's message, for messages of one line. */
    public static String firstLine(Throwable cause) {
        String message = cause.getMessage();
        return message == null
                ? cause.getClass().getSimpleName()
                : message.lines()
                        .filter(line -> !line.isBlank())
                        .findFirst()
                        .orElse("")
                        .replaceAll("\\.+$", "");
    }

    private static GptqException missing(String what, String location) {
        return GptqException.badInput(
                "Cannot read %s '%s': there is no such file. Check the path; one without a scheme belongs to the default"
                        + " file system.",
                what, location);
    }

    private static void addFiles(FileStatus status, FileSystem files, List<FileStatus> found) throws IOException {
        if (status.isFile()) {
            found.add(status);
            return;
        }
        for (FileStatus child : Arrays.asList(files.listStatus(status.getPath()))) {
            if (!isHidden(child.getPath())) {
                addFiles(child, files, found);
            }
        }
    }

    /** Whether a name is one that Hadoop's programs give to what is no data. */
    static boolean isHidden(Path path) {
        char first = path.getName().charAt(0);
        return first == '.' || first == '_';
    }
}
