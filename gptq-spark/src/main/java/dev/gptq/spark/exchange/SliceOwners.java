package dev.gptq.spark.exchange;

/**
 * Which member updates which slice: a run of slices each, or, where parameters are few, every member all of them, which
 * saves the second way.
 */
final class SliceOwners {
    /** Below this many parameters the time of a message's way counts, not its length. */
    static final int REPLICATED_BELOW = 1 << 16;

    private final int[] borders;
    private final int[] first;
    private final boolean replicated;

    SliceOwners(Members members, int[] borders, int replicatedBelow) {
        this.borders = borders;
        this.first = members.sliceBorders(borders);
        boolean idle = false;
        for (int member = 0; member < members.count(); member++) {
            idle |= first[member] == first[member + 1];
        }
        this.replicated = members.count() == 1 || idle || elements() < replicatedBelow;
    }

    boolean replicated() {
        return replicated;
    }

    int slices() {
        return borders.length - 1;
    }

    int elements() {
        return borders[borders.length - 1];
    }

    int from(int slice) {
        return borders[slice];
    }

    int size(int slice) {
        return borders[slice + 1] - borders[slice];
    }

    boolean owns(int member, int slice) {
        return slice >= firstOf(member) && slice < endOf(member);
    }

    /** The member that sends a slice's values to the others; without meaning where all own it. */
    int ownerOf(int slice) {
        int owner = 0;
        while (slice >= first[owner + 1]) {
            owner++;
        }
        return owner;
    }

    int firstOf(int member) {
        return replicated ? 0 : first[member];
    }

    int endOf(int member) {
        return replicated ? slices() : first[member + 1];
    }
}
