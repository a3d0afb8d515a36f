package dev.gptq.onnx;

import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import dev.gptq.graph.pass.OpsetUpgrade;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

/** Models with some bytes changed, cut out or doubled are read or refused: nothing else comes of them. */
class MutatedModelsTest {
    private static final Path FOLDER = Path.of("/folder");
    private static final int LARGEST = 1 << 20;

    private static final List<byte[]> MODELS = List.of(
            Models.bytes("m1_bn"),
            OnnxWriter.write(new GraphBuilder(11)
                    .input("x", -1, 3)
                    .weight("w", 3, 2)
                    .longs("s", 0, -1)
                    .node("MatMul", "x w", "m")
                    .node("Softmax", "m", "p", "axis", 1)
                    .node("Split", "p", "a b", "axis", 1)
                    .node("Concat", "b a", "c", "axis", 1)
                    .node("Reshape", "c s", "out")
                    .build()));

    /** Where to change a model, as a share of its length, and how. */
    record Mutation(double where, int kind, byte value) {
        byte[] apply(byte[] model) {
            if (model.length == 0) {
                return model;
            }
            int at = (int) (where * (model.length - 1));
            switch (kind) {
                case 0:
                    byte[] changed = model.clone();
                    changed[at] = value;
                    return changed;
                case 1:
                    byte[] shorter = new byte[model.length - 1];
                    System.arraycopy(model, 0, shorter, 0, at);
                    System.arraycopy(model, at + 1, shorter, at, shorter.length - at);
                    return shorter;
                default:
                    byte[] longer = new byte[model.length + 1];
                    System.arraycopy(model, 0, longer, 0, at);
                    longer[at] = value;
                    System.arraycopy(model, at, longer, at + 1, model.length - at);
                    return longer;
            }
        }
    }

    @Provide
    Arbitrary<List<Mutation>> mutations() {
        // Structure lies at both ends of a model file, weights in between.
        Arbitrary<Double> where = Arbitraries.oneOf(
                Arbitraries.doubles().between(0, 0.02),
                Arbitraries.doubles().between(0.98, 1),
                Arbitraries.doubles().between(0, 1));
        return Combinators.combine(where, Arbitraries.integers().between(0, 2), Arbitraries.bytes())
                .as(Mutation::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(12);
    }

    /** A seed of its own: what a build finds must not hang on luck. */
    @Property(tries = 400, seed = "20261125")
    void changedModelsAreReadOrRefused(@ForAll("mutations") List<Mutation> mutations, @ForAll boolean small) {
        byte[] bytes = MODELS.get(small ? 1 : 0);
        for (Mutation mutation : mutations) {
            bytes = mutation.apply(bytes);
        }
        byte[] changed = bytes;

        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> read(changed));
    }

    @Example
    void whatFuzzingFoundIsReadOrRefused() throws IOException, URISyntaxException {
        Path inputs = Path.of(MutatedModelsTest.class
                .getResource("OnnxReaderFuzzTestInputs/anyFileIsReadOrRefused")
                .toURI());
        try (Stream<Path> files = Files.list(inputs)) {
            List<Path> found = files.toList();
            assertThat(found).hasSizeGreaterThan(1);
            for (Path file : found) {
                byte[] bytes = Files.readAllBytes(file);
                assertThatCode(() -> read(bytes))
                        .as(file.getFileName().toString())
                        .doesNotThrowAnyException();
            }
        }
    }

    /** Reads as the product does; every failure but the domain's own comes out. */
    static void read(byte[] bytes) {
        try {
            byte[] whole = ExternalTensors.inline(bytes, "changed", MutatedModelsTest::external);
            Graph graph = OpsetUpgrade.apply(OnnxReader.read(whole, "changed"));
            OnnxWriter.write(graph);
        } catch (GptqException e) {
            // Refused with a reason.
        }
    }

    private static byte[] external(String location, long offset, int length) throws IOException {
        if (!FOLDER.resolve(location).normalize().startsWith(FOLDER)) {
            throw new AssertionError("'" + location + "' lies outside the model's folder");
        }
        if (length > LARGEST) {
            throw new IOException("no such file");
        }
        return new byte[length];
    }
}
