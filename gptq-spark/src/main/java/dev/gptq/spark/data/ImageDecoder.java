package dev.gptq.spark.data;

import dev.gptq.config.ImageConfig;
import dev.gptq.image.ImagePreprocessing;
import dev.gptq.image.UnusableImageException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Decodes a binary column of images, or the files that a column of paths names.
 *
 * @param hadoop finds those files; null for a binary column. Files are read here and not by Spark's source, so that those
 *     beyond a limit are not read at all
 */
record ImageDecoder(ImageConfig config, Broadcast<SerializableConfiguration> hadoop) implements SampleDecoder {
    @Override
    public List<String> sources() {
        return List.of(hadoop == null ? config.column() : TableReader.PATH);
    }

    @Override
    public String expectedType(DataType type) {
        boolean fits = hadoop == null ? type instanceof BinaryType : type instanceof StringType;
        return fits ? null : "binary";
    }

    @Override
    public boolean yields(String column) {
        return column.equals(config.column());
    }

    @Override
    public long[] shape() {
        return new ImagePreprocessing(config).shape();
    }

    @Override
    public boolean ragged() {
        return false;
    }

    @Override
    public Session open() {
        return new ImageSession(new ImagePreprocessing(config));
    }

    private final class ImageSession implements Session {
        private final ImagePreprocessing preprocessing;

        ImageSession(ImagePreprocessing preprocessing) {
            this.preprocessing = preprocessing;
        }

        @Override
        public Map<String, Values> decode(List<Object> sources) throws BadSampleException {
            byte[] bytes = hadoop == null ? (byte[]) sources.get(0) : read((String) sources.get(0));
            try {
                ImagePreprocessing.Result result = preprocessing.apply(bytes);
                return Map.of(config.column(), new Values(result.values(), result.shape(), result.shape()[0]));
            } catch (UnusableImageException e) {
                throw new BadSampleException(e.getMessage());
            }
        }

        private byte[] read(String file) throws BadSampleException {
            try {
                Path path = new Path(file);
                FileSystem files = Files.system(path, hadoop.value().value());
                long length = files.getFileStatus(path).getLen();
                if (length > preprocessing.maxBytes()) {
                    throw new BadSampleException("it has " + length + " bytes, more than any image of "
                            + config.maxPixels() + " pixels (image.max_pixels)");
                }
                try (FSDataInputStream in = files.open(path)) {
                    return in.readNBytes((int) length);
                }
            } catch (IOException e) {
                throw Files.unreadable(e, "dataset", file);
            }
        }

        @Override
        public void close() {
            // Nothing is held between two images.
        }
    }
}
