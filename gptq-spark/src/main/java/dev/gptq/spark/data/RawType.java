package dev.gptq.spark.data;

import java.nio.ByteBuffer;
import java.util.Locale;

/** Element type of raw bytes from outside (binary columns, npy arrays), little endian. */
enum RawType {
    BOOL(1),
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    INT32(4),
    INT64(8),
    FLOAT32(4),
    FLOAT64(8);

    private final int bytes;

    RawType(int bytes) {
        this.bytes = bytes;
    }

    int bytes() {
        return bytes;
    }

    /** The type of this name in a configuration, or null. */
    static RawType named(String name) {
        for (RawType type : values()) {
            if (type != BOOL && type.name().toLowerCase(Locale.ROOT).equals(name)) {
                return type;
            }
        }
        return null;
    }

    /** The type of a numpy descriptor such as {@code <f4}, or null for one that is not supported. */
    static RawType ofNumpy(String descriptor) {
        return switch (descriptor) {
            case "|b1" -> BOOL;
            case "|u1" -> UINT8;
            case "|i1" -> INT8;
            case "<u2" -> UINT16;
            case "<i2" -> INT16;
            case "<i4" -> INT32;
            case "<i8" -> INT64;
            case "<f4" -> FLOAT32;
            case "<f8" -> FLOAT64;
            default -> null;
        };
    }

    /** The element at byte offset {@code position} of a little-endian buffer. */
    double read(ByteBuffer buffer, int position) {
        return switch (this) {
            case BOOL -> buffer.get(position) == 0 ? 0 : 1;
            case UINT8 -> Byte.toUnsignedInt(buffer.get(position));
            case INT8 -> buffer.get(position);
            case UINT16 -> Short.toUnsignedInt(buffer.getShort(position));
            case INT16 -> buffer.getShort(position);
            case INT32 -> buffer.getInt(position);
            case INT64 -> buffer.getLong(position);
            case FLOAT32 -> buffer.getFloat(position);
            case FLOAT64 -> buffer.getDouble(position);
        };
    }
}
