package dev.gptq.onnx;

import com.code_intelligence.jazzer.junit.FuzzTest;

/**
 * Looks for files that the reader neither reads nor refuses, guided by the code they reach. Runs for a minute with
 * {@code mvn -Pfuzz verify}; what it found before is among its inputs, which {@link MutatedModelsTest} reads, too.
 */
class OnnxReaderFuzzTest {
    @FuzzTest(maxDuration = "60s")
    void anyFileIsReadOrRefused(byte[] file) {
        MutatedModelsTest.read(file);
    }
}
