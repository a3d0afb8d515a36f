package dev.gptq.train;

/**
 * A pseudo-random permutation of [0, size) that takes no memory: a Feistel network over the next even number of bits, whose
 * results outside the range are permuted again until they are inside (cycle walking; at most four rounds on average).
 */
final class Permutation {
    private static final int ROUNDS = 6;

    private final long size;
    private final long key;
    private final int halfBits;
    private final long halfMask;

    /** The permutation that belongs to {@code key}. */
    Permutation(long size, long key) {
        this.size = size;
        this.key = key;
        int bits = Long.SIZE - Long.numberOfLeadingZeros(Math.max(1, size - 1));
        this.halfBits = (bits + 1) / 2;
        this.halfMask = (1L << halfBits) - 1;
    }

    /** Where {@code index} goes. */
    long at(long index) {
        long image = index;
        do {
            image = permuteOnce(image);
        } while (image >= size);
        return image;
    }

    private long permuteOnce(long value) {
        long left = value >>> halfBits;
        long right = value & halfMask;
        for (int round = 0; round < ROUNDS; round++) {
            long mixed = left ^ (mix(mix(key + round) + right) & halfMask);
            left = right;
            right = mixed;
        }
        return left << halfBits | right;
    }

    /** SplitMix64: neighbouring counters give independent bits. */
    static long mix(long counter) {
        long z = counter + 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
