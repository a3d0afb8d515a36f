package dev.gptq.spark.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.gptq.GptqException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A table of numbers beside a sample store: rows of little-endian float64, one per sample or micro-batch, one column per
 * compare point. It is too long for one JVM's memory: tasks write it run by run ({@link NumberFile}) and read what they
 * need, of which the latest pages stay in memory. May be read by several threads at once.
 */
public final class NumberStore {
    private static final int PAGE_ROWS = 1024;
    private static final long CACHED_NUMBERS = 1 << 21;
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final Path folder;
    private final Index index;
    private final RecordFiles records;
    private final Map<Long, double[][]> pages;

    /** Content of index.json, which is written last. */
    private record Index(int columns, long rows, List<StoreIndex.StoreFile> files) {}

    private NumberStore(Path folder, FileSystem files, Index index) {
        this.folder = folder;
        this.index = index;
        this.records = new RecordFiles(folder, files, Math.multiplyExact(index.columns, Double.BYTES), index.files);
        long kept = Math.max(1, CACHED_NUMBERS / ((long) PAGE_ROWS * Math.max(1, index.columns)));
        this.pages = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Long, double[][]> eldest) {
                return size() > kept;
            }
        };
    }

    /** Makes the files of all runs, in order, one table. */
    public static void commit(String folder, int columns, List<StoreIndex.StoreFile> files, Configuration hadoop) {
        long rows = files.stream().mapToLong(StoreIndex.StoreFile::samples).sum();
        Path path = new Path(folder, StoreIndex.FILE_NAME);
        try (FSDataOutputStream out = Files.of(path, hadoop).create(path, true)) {
            out.write(JSON.writeValueAsBytes(new Index(columns, rows, files)));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw NumberFile.unwritable(e, folder);
        }
    }

    /** Opens a table; IO when it is not there. */
    public static NumberStore open(String folder, Configuration hadoop) {
        Path path = new Path(folder);
        try {
            FileSystem files = Files.of(path, hadoop);
            try (FSDataInputStream in = files.open(new Path(path, StoreIndex.FILE_NAME))) {
                return new NumberStore(path, files, JSON.readValue(in.readAllBytes(), Index.class));
            }
        } catch (IOException e) {
            throw unreadable(e, path);
        }
    }

    /** Whether the folder holds a table whose files are all there at full length. */
    public static boolean isComplete(String folder, Configuration hadoop) {
        Path path = new Path(folder);
        try {
            return Files.of(path, hadoop).exists(new Path(path, StoreIndex.FILE_NAME))
                    && open(folder, hadoop).records.areComplete();
        } catch (IOException e) {
            throw unreadable(e, path);
        }
    }

    /** Deletes what a folder holds of an unfinished table. */
    public static void delete(String folder, Configuration hadoop) {
        Path path = new Path(folder);
        try {
            Files.of(path, hadoop).delete(path, true);
        } catch (IOException e) {
            throw NumberFile.unwritable(e, folder);
        }
    }

    public long rows() {
        return index.rows;
    }

    /** Rows [first, first + count), all of which must be in the table; not to be changed. */
    public double[][] read(long first, int count) {
        if (first < 0 || count < 1 || first + count > rows()) {
            throw new IllegalArgumentException(
                    "Cannot read rows " + first + " to " + (first + count) + " of " + rows() + ".");
        }
        double[][] rows = new double[count][];
        for (int row = 0; row < count; row++) {
            rows[row] = page((first + row) / PAGE_ROWS)[(int) ((first + row) % PAGE_ROWS)];
        }
        return rows;
    }

    private synchronized double[][] page(long number) {
        double[][] page = pages.get(number);
        if (page == null) {
            page = readPage(number * PAGE_ROWS);
            pages.put(number, page);
        }
        return page;
    }

    private double[][] readPage(long first) {
        double[][] page = new double[(int) Math.min(PAGE_ROWS, rows() - first)][index.columns];
        try {
            ByteBuffer bytes = ByteBuffer.wrap(records.read(first, page.length)).order(ByteOrder.LITTLE_ENDIAN);
            for (double[] row : page) {
                for (int column = 0; column < row.length; column++) {
                    row[column] = bytes.getDouble();
                }
            }
            return page;
        } catch (IOException e) {
            throw unreadable(e, folder);
        }
    }

    private static GptqException unreadable(IOException cause, Path folder) {
        return GptqException.io(
                cause,
                "Cannot read numbers per sample from '%s': %s. Start the run again; delete the folder if that does not help.",
                folder,
                Files.firstLine(cause));
    }
}
