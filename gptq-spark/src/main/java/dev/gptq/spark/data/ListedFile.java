package dev.gptq.spark.data;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/**
 * A file of a dataset, or a folder that is yet to be listed.
 *
 * @param length in bytes; -1 for a folder
 * @param modified milliseconds since 1970
 */
record ListedFile(String path, long length, long modified) implements Serializable {
    /** Folders with more entries are left to a task, so that the driver's memory does not grow with them. */
    private static final int LARGEST_FOLDER = 1000;

    /** Folders that the driver looks into: enough to keep a cluster's cores busy, few enough to list one by one. */
    private static final int MOST_FOLDERS = 256;

    static ListedFile of(FileStatus status) {
        return new ListedFile(
                status.getPath().toString(),
                status.isFile() ? status.getLen() : -1,
                status.isFile() ? status.getModificationTime() : 0);
    }

    boolean isFolder() {
        return length < 0;
    }

    /** Name of the folder that the file is in. */
    String folder() {
        String[] parts = path.split("/");
        return parts.length < 2 ? "" : parts[parts.length - 2];
    }

    /** What tells this content of the file from another. */
    String identity() {
        return path + " " + length + " " + modified;
    }

    /** Cuts locations (files, folders, globs) into parts, each file in one of them; hidden ones are left out. */
    static List<ListedFile> parts(List<String> locations, Configuration hadoop) throws IOException {
        TreeMap<Path, FileStatus> roots = new TreeMap<>();
        for (String location : locations) {
            Files.matches(location, hadoop).forEach(match -> roots.put(match.getPath(), match));
        }
        List<ListedFile> parts = new ArrayList<>();
        Deque<ListedFile> folders = new ArrayDeque<>();
        for (FileStatus root : roots.values()) {
            if (!isWithin(root.getPath().getParent(), roots)) {
                (root.isFile() ? parts : folders).add(of(root));
            }
        }
        for (int seen = 0; seen < MOST_FOLDERS && !folders.isEmpty(); seen++) {
            ListedFile folder = folders.remove();
            List<ListedFile> entries = entries(folder, hadoop);
            if (entries.size() > LARGEST_FOLDER) {
                parts.add(folder);
            } else {
                entries.forEach(entry -> (entry.isFolder() ? folders : parts).add(entry));
            }
        }
        parts.addAll(folders);
        return parts;
    }

    private static boolean isWithin(Path folder, TreeMap<Path, FileStatus> roots) {
        return folder != null && (roots.containsKey(folder) || isWithin(folder.getParent(), roots));
    }

    /** No more than one entry too many. */
    private static List<ListedFile> entries(ListedFile folder, Configuration hadoop) throws IOException {
        Path path = new Path(folder.path);
        List<ListedFile> entries = new ArrayList<>();
        RemoteIterator<FileStatus> children = Files.system(path, hadoop).listStatusIterator(path);
        while (children.hasNext() && entries.size() <= LARGEST_FOLDER) {
            FileStatus child = children.next();
            if (!Files.isHidden(child.getPath())) {
                entries.add(of(child));
            }
        }
        return entries;
    }

    /** This file, or those in this folder and in its folders; listed while they are read. */
    RemoteIterator<ListedFile> files(Configuration hadoop) throws IOException {
        return new Walk(this, hadoop);
    }

    /** Depth first; memory holds what the file system answers at once, for each folder on the way. */
    private static final class Walk implements RemoteIterator<ListedFile> {
        private final Configuration hadoop;
        private final Deque<RemoteIterator<FileStatus>> open = new ArrayDeque<>();
        private ListedFile next;

        Walk(ListedFile start, Configuration hadoop) throws IOException {
            this.hadoop = hadoop;
            if (start.isFolder()) {
                enter(new Path(start.path));
            } else {
                next = start;
            }
        }

        private void enter(Path folder) throws IOException {
            open.push(Files.system(folder, hadoop).listStatusIterator(folder));
        }

        @Override
        public boolean hasNext() throws IOException {
            while (next == null && !open.isEmpty()) {
                if (!open.peek().hasNext()) {
                    open.pop();
                    continue;
                }
                FileStatus entry = open.peek().next();
                if (Files.isHidden(entry.getPath())) {
                    continue;
                }
                if (entry.isFile()) {
                    next = of(entry);
                } else {
                    enter(entry.getPath());
                }
            }
            return next != null;
        }

        @Override
        public ListedFile next() throws IOException {
            if (!hasNext()) {
                throw new java.util.NoSuchElementException();
            }
            ListedFile current = next;
            next = null;
            return current;
        }
    }
}
