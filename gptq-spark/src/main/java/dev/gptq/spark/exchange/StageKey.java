package dev.gptq.spark.exchange;

/** One attempt of one stage of the application. */
public record StageKey(int stage, int attempt) {}
