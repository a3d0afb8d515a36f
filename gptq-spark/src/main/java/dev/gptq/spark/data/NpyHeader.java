package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.graph.TensorData;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Header of the npy format, versions 1 to 3 (numpy.lib.format): element type and shape; C order only. */
record NpyHeader(RawType type, long[] shape) {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int LARGEST_HEADER = 1 << 16;
    private static final Pattern DESCRIPTOR = Pattern.compile("'descr'\\s*:\\s*'([^']*)'");
    private static final Pattern FORTRAN = Pattern.compile("'fortran_order'\\s*:\\s*True");
    private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([0-9,\\sL]*)\\)");

    /** Reads a header; {@code source} names the array in messages. */
    static NpyHeader read(DataInputStream in, String source) throws IOException {
        if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
            throw GptqException.badInput("Cannot read %s: it is no npy array. Write it with numpy.save.", source);
        }
        int version = in.readUnsignedByte();
        in.readUnsignedByte();
        int length = version == 1
                ? Short.toUnsignedInt(Short.reverseBytes(in.readShort()))
                : Integer.reverseBytes(in.readInt());
        if (version < 1 || version > 3 || length < 0 || length > LARGEST_HEADER) {
            throw GptqException.badInput(
                    "Cannot read %s: npy header of version %d with %d bytes. Write it with numpy.save.",
                    source, version, length);
        }
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return parse(new String(bytes, StandardCharsets.UTF_8), source);
    }

    private static NpyHeader parse(String text, String source) {
        Matcher descriptor = DESCRIPTOR.matcher(text);
        String found = descriptor.find() ? descriptor.group(1) : "structured";
        RawType type = RawType.ofNumpy(found);
        if (type == null) {
            throw GptqException.badInput(
                    "Cannot read %s: element type %s is not supported. Convert it to uint8, int8, int32, int64, float32 or"
                            + " float64.",
                    source, found);
        }
        Matcher shape = SHAPE.matcher(text);
        if (!shape.find()) {
            throw GptqException.badInput("Cannot read %s: its header has no shape. Write it with numpy.save.", source);
        }
        if (FORTRAN.matcher(text).find()) {
            throw GptqException.badInput(
                    "Cannot read %s: it is in Fortran order. Save numpy.ascontiguousarray of it.", source);
        }
        try {
            long[] dimensions = Arrays.stream(shape.group(1).split(","))
                    .map(dimension -> dimension.replace("L", "").trim())
                    .filter(dimension -> !dimension.isEmpty())
                    .mapToLong(Long::parseLong)
                    .toArray();
            if (dimensions.length > 0
                    && Math.multiplyExact(TensorData.elementCount(rowShape(dimensions)), type.bytes())
                            <= Integer.MAX_VALUE) {
                return new NpyHeader(type, dimensions);
            }
        } catch (ArithmeticException | NumberFormatException e) {
            // Falls through to the message below: the shape is not one that any sample can have.
        }
        throw GptqException.badInput(
                "Cannot read %s: its shape (%s) is not one of samples. Put samples along the first dimension.",
                source, shape.group(1));
    }

    private static long[] rowShape(long[] shape) {
        return Arrays.copyOfRange(shape, 1, shape.length);
    }

    long rows() {
        return shape[0];
    }

    /** Shape of one row. */
    long[] rowShape() {
        return rowShape(shape);
    }

    int rowBytes() {
        return Math.toIntExact(TensorData.elementCount(rowShape()) * type.bytes());
    }

    boolean isInteger() {
        return type != RawType.FLOAT32 && type != RawType.FLOAT64;
    }
}
