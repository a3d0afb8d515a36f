package dev.gptq.hessian;

/** Rademacher vectors as a function of (seed, sample, iteration, element), whatever the batch a sample is in. */
final class RandomSigns {
    /** Keeps these draws apart from all others that start from the same seed. */
    private static final long PURPOSE = 0x4865737369616eL;

    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;
    private static final long FIRST_MULTIPLIER = 0xbf58476d1ce4e5b9L;
    private static final long SECOND_MULTIPLIER = 0x94d049bb133111ebL;

    private RandomSigns() {}

    /** Vectors of +1 and -1 for consecutive samples: [samples, length], row-major. */
    static float[] of(long seed, long firstSample, int samples, int iteration, int length) {
        float[] signs = new float[samples * length];
        for (int sample = 0; sample < samples; sample++) {
            long key = mix(mix(mix(seed ^ PURPOSE) + firstSample + sample) + iteration);
            long bits = 0;
            for (int element = 0; element < length; element++) {
                if (element % Long.SIZE == 0) {
                    bits = mix(key + element / Long.SIZE * GOLDEN_GAMMA);
                }
                signs[sample * length + element] = (bits >>> element & 1) == 0 ? -1 : 1;
            }
        }
        return signs;
    }

    /** The output function of SplitMix64 after one step of its counter. */
    private static long mix(long value) {
        long z = value + GOLDEN_GAMMA;
        z = (z ^ z >>> 30) * FIRST_MULTIPLIER;
        z = (z ^ z >>> 27) * SECOND_MULTIPLIER;
        return z ^ z >>> 31;
    }
}
