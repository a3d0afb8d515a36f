package dev.gptq.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The sizes in the streams of a WebP file (RFC 9649), which may be others than its container says: readers allocate what a
 * stream says.
 */
final class WebpSizes {
    private static final int LOSSY = fourCc("VP8 ");
    private static final int LOSSLESS = fourCc("VP8L");
    private static final int FRAME = fourCc("ANMF");
    private static final int FILE_HEADER = 12;
    private static final int CHUNK_HEADER = 8;
    private static final int FRAME_HEADER = 16;
    private static final int STREAM_HEADER = 10;
    private static final int LARGEST = 0x3FFF;

    private WebpSizes() {}

    private static int fourCc(String name) {
        return name.charAt(0) | name.charAt(1) << 8 | name.charAt(2) << 16 | name.charAt(3) << 24;
    }

    /** [width, height] of each stream, as far as the file goes. */
    static List<int[]> of(byte[] bytes) {
        ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        List<int[]> sizes = new ArrayList<>();
        int position = FILE_HEADER;
        while (position >= 0 && position + CHUNK_HEADER + STREAM_HEADER <= bytes.length) {
            int chunk = file.getInt(position);
            int length = file.getInt(position + 4);
            position += CHUNK_HEADER;
            if (chunk == FRAME) {
                // Chunks within a frame follow its header.
                position += FRAME_HEADER;
                continue;
            }
            if (chunk == LOSSY) {
                sizes.add(new int[] {file.getShort(position + 6) & LARGEST, file.getShort(position + 8) & LARGEST});
            } else if (chunk == LOSSLESS) {
                int packed = file.getInt(position + 1);
                sizes.add(new int[] {(packed & LARGEST) + 1, (packed >>> 14 & LARGEST) + 1});
            }
            position = length < 0 ? -1 : position + length + (length & 1);
        }
        return sizes;
    }
}
