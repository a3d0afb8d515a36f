package dev.gptq.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Reads NumPy archives from the test resources, without the engine. */
public final class Npz {
    private static final int MAGIC_LENGTH = 6;
    private static final Pattern TYPE = Pattern.compile("'descr': '([^']+)'");
    private static final Pattern SHAPE = Pattern.compile("'shape': \\(([^)]*)\\)");

    private final Map<String, Array> arrays = new LinkedHashMap<>();

    private record Array(double[] values, long[] shape) {}

    private Npz() {}

    /** Opens a class path resource, such as "/oracle/losses.npz". */
    public static Npz resource(String path) {
        Npz npz = new Npz();
        try (InputStream stream = Npz.class.getResourceAsStream(path);
                ZipInputStream zip = new ZipInputStream(stream)) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                npz.arrays.put(entry.getName().replaceFirst("\\.npy$", ""), parse(zip.readAllBytes()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return npz;
    }

    public Set<String> keys() {
        return arrays.keySet();
    }

    /** The values of a numeric or boolean array, row-major. */
    public double[] doubles(String key) {
        return array(key).values.clone();
    }

    public float[] floats(String key) {
        double[] values = array(key).values;
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    /** The only value of a scalar. */
    public double scalar(String key) {
        return array(key).values[0];
    }

    public long[] shape(String key) {
        return array(key).shape.clone();
    }

    private Array array(String key) {
        Array array = arrays.get(key);
        if (array == null) {
            throw new IllegalArgumentException("No array " + key + " among " + arrays.keySet());
        }
        return array;
    }

    private static Array parse(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int major = buffer.get(MAGIC_LENGTH);
        buffer.position(MAGIC_LENGTH + 2);
        int headerLength = major == 1 ? buffer.getShort() : buffer.getInt();
        String header = new String(bytes, buffer.position(), headerLength, StandardCharsets.US_ASCII);
        buffer.position(buffer.position() + headerLength);
        long[] shape = Arrays.stream(group(SHAPE, header).split(","))
                .map(String::trim)
                .filter(text -> !text.isEmpty())
                .mapToLong(Long::parseLong)
                .toArray();
        double[] values = new double[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        String type = group(TYPE, header);
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (type) {
                case "<f4" -> buffer.getFloat();
                case "<f8" -> buffer.getDouble();
                case "<i4" -> buffer.getInt();
                case "<i8" -> buffer.getLong();
                case "|b1", "|i1" -> buffer.get();
                default -> throw new IllegalArgumentException("Unknown type " + type);
            };
        }
        return new Array(values, shape);
    }

    private static String group(Pattern pattern, String header) {
        Matcher matcher = pattern.matcher(header);
        if (!matcher.find()) {
            throw new IllegalArgumentException("No " + pattern + " in " + header);
        }
        return matcher.group(1);
    }
}
