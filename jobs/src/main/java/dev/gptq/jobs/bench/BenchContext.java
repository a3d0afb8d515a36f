package dev.gptq.jobs.bench;

import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * What a benchmark is given.
 *
 * @param home the project's directory
 * @param runs rounds that medians are taken over
 * @param progress takes a line for people
 */
record BenchContext(Path home, int runs, Consumer<String> progress) {}
