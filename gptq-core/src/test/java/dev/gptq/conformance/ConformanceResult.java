package dev.gptq.conformance;

/**
 * What became of one case.
 *
 * @param name the case
 * @param exclusion why it is out of scope; null when it is in
 * @param failure why it fails, in one line; null when it passes or is out of scope
 */
record ConformanceResult(String name, String exclusion, String failure) {
    boolean inScope() {
        return exclusion == null;
    }

    boolean passed() {
        return inScope() && failure == null;
    }
}
