package dev.gptq.spark.data;

import dev.gptq.onnx.ExternalData;
import dev.gptq.onnx.ExternalTensors;
import dev.gptq.onnx.OnnxModel;
import java.io.EOFException;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The folder of a model file on any storage, where its external data lie. */
public final class ModelFolder implements ExternalData {
    /**
     * Hadoop's key for the most bytes of constants in a model's file; larger models have a second file with them. Its default
     * is what the format can hold.
     */
    public static final String FILE_LIMIT = "gptq.model.file.limit";

    private final Path folder;
    private final Configuration hadoop;

    public ModelFolder(String model, Configuration hadoop) {
        Path parent = new Path(model).getParent();
        this.folder = parent == null ? new Path(".") : parent;
        this.hadoop = hadoop;
    }

    /** A model file with the constants that lie in files beside it. */
    public static OnnxModel readModel(String model, Configuration hadoop) {
        return ExternalTensors.read(
                Files.readInput(model, "model", hadoop), model, new ModelFolder(model, hadoop), fileLimit(hadoop));
    }

    /** The value of {@link #FILE_LIMIT}. */
    public static long fileLimit(Configuration hadoop) {
        return Math.min(OnnxModel.LARGEST_FILE, hadoop.getLong(FILE_LIMIT, OnnxModel.LARGEST_FILE));
    }

    @Override
    public byte[] read(String location, long offset, int length) throws IOException {
        FileSystem files = Files.system(folder, hadoop);
        if (files.getScheme().equals("file")) {
            // Hadoop's local file system follows links; the check for them is the disk's own.
            return ExternalData.in(java.nio.file.Path.of(
                            files.makeQualified(folder).toUri().getPath()))
                    .read(location, offset, length);
        }
        Path file = files.resolvePath(new Path(folder, location));
        String root = files.resolvePath(folder).toString();
        if (!file.toString().startsWith(root.endsWith("/") ? root : root + "/")) {
            throw ExternalData.outside(location);
        }
        long size = files.getFileStatus(file).getLen();
        if (offset > size - length) {
            throw new EOFException("it ends at byte " + size);
        }
        byte[] bytes = new byte[length];
        try (FSDataInputStream in = files.open(file)) {
            in.readFully(offset, bytes);
        }
        return bytes;
    }
}
