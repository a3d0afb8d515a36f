package dev.gptq.spark.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.Serializable;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Content of a sample store's index.json.
 *
 * @param samples samples in the store; files may hold more than a limit took
 * @param files in canonical order
 * @param badRows rows that could not be used, among those that were looked at
 */
public record StoreIndex(SampleLayout layout, long samples, List<StoreFile> files, long badRows)
        implements Serializable {
    /** The index's name in its folder. */
    public static final String FILE_NAME = "index.json";

    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /** One file of records and the CRC32C of all its bytes. */
    public record StoreFile(String name, long samples, String crc32c) implements Serializable {
        private static final Pattern PLAIN_NAME = Pattern.compile("[\\w-][\\w.-]*");

        public StoreFile {
            // An index is read from storage: a name in it must not lead out of the store's folder.
            if (!PLAIN_NAME.matcher(name).matches()) {
                throw new IllegalArgumentException("'" + name + "' is no name of a file in the store");
            }
        }
    }

    public StoreIndex {
        files = List.copyOf(files);
    }

    public String toJson() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Parses an index; throws JsonProcessingException when it is none. */
    static StoreIndex fromJson(byte[] json) throws java.io.IOException {
        return JSON.readValue(json, StoreIndex.class);
    }
}
