package dev.gptq.config;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** How a dataset is stored. */
public enum DataFormat {
    PARQUET("parquet"),
    ORC("orc"),
    AVRO("avro"),
    JSON("json", "jsonl", "ndjson"),
    CSV("csv"),
    /** One sample per line, in the column {@code value}. */
    TEXT("text", "txt"),
    /** One sample per file: JPEG, PNG, BMP, TIFF or WebP. */
    IMAGES("images", "jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp"),
    NPZ("npz", "npy");

    private static final List<String> COMPRESSIONS = List.of(".gz", ".bz2", ".zst", ".snappy", ".lz4");

    private final List<String> suffixes;

    DataFormat(String... suffixes) {
        this.suffixes = List.of(suffixes);
    }

    /** The name in a configuration. */
    @Override
    public String toString() {
        return suffixes.get(0);
    }

    /** The format of this name, or null. */
    static DataFormat named(String name) {
        return Arrays.stream(values())
                .filter(format -> format.toString().equals(name))
                .findFirst()
                .orElse(null);
    }

    static String names() {
        return String.join(
                ", ", Arrays.stream(values()).map(DataFormat::toString).toList());
    }

    /** The format that a path's suffix names, one of compression left aside; Parquet when it names none. */
    static DataFormat ofPath(String path) {
        String name = path.toLowerCase(Locale.ROOT);
        for (String compression : COMPRESSIONS) {
            name = name.endsWith(compression) ? name.substring(0, name.length() - compression.length()) : name;
        }
        String suffix = name.substring(name.lastIndexOf('.') + 1);
        return Arrays.stream(values())
                .filter(format -> format.suffixes.contains(suffix))
                .findFirst()
                .orElse(PARQUET);
    }
}
