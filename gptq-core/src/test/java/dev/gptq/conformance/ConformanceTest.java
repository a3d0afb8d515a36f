package dev.gptq.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Runs ONNX's own backend tests through reader, opset upgrade and engine, and keeps ONNX_OPERATORS.md true. */
class ConformanceTest {
    private static final Path DOCUMENT = Path.of("ONNX_OPERATORS.md");
    private static final boolean WRITE = Boolean.getBoolean("conformance.write");
    private static final double SHARE_THAT_PASSES = 0.95;

    @Test
    void theTableSaysWhatTheCodeSupports() throws IOException {
        if (!WRITE) {
            String document = Files.readString(DOCUMENT);
            assertThat(document).contains(OperatorDocument.CONFORMANCE);
            assertThat(document.substring(0, document.indexOf(OperatorDocument.CONFORMANCE)))
                    .isEqualTo(OperatorDocument.operators());
        }
    }

    @Test
    void casesInScopePassAndTheOthersAreNamedWithTheReason() throws IOException {
        assumeTrue(ConformanceSuite.isPresent(), ConformanceSuite::absence);
        List<ConformanceResult> results =
                ConformanceSuite.folders().stream().map(ConformanceRun::run).toList();
        String conformance = OperatorDocument.conformance(results);
        if (WRITE) {
            Files.writeString(DOCUMENT, OperatorDocument.operators() + conformance);
        }
        String document = Files.readString(DOCUMENT);

        assertThat(document.substring(document.indexOf(OperatorDocument.CONFORMANCE)))
                .isEqualTo(conformance);
        double inScope = results.stream().filter(ConformanceResult::inScope).count();
        double passed = results.stream().filter(ConformanceResult::passed).count();
        assertThat(passed / inScope).isGreaterThanOrEqualTo(SHARE_THAT_PASSES);
    }
}
