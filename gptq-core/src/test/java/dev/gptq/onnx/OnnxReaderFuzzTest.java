package dev.gptq.onnx;

import com.code_intelligence.jazzer.junit.FuzzTest;

/**
 * Looks for files that the reader neither reads nor refuses, guided by the code they reach. Runs for some seconds in
 * {@code mvn verify}; elsewhere (no JAZZER_FUZZ in the environment) with its seeds only.
 */
class OnnxReaderFuzzTest {
    @FuzzTest(maxDuration = "5s")
    void anyFileIsReadOrRefused(byte[] file) {
        MutatedModelsTest.read(file);
    }
}
