package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import ai.onnx.proto.OnnxMl.TensorProto.DataLocation;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import dev.gptq.testing.GraphBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ExternalTensorsTest {
    private static final int OFFSET = 64;
    private static final Graph MODEL = new GraphBuilder(13)
            .input("x", -1, 3)
            .weight("w", 3, 2)
            .node("MatMul", "x w", "out")
            .build();
    private static final byte[] INSIDE = OnnxWriter.write(MODEL);

    @TempDir
    private Path disk;

    private Path folder;

    @BeforeEach
    void putTheWeightIntoAFileOfItsOwn() throws IOException {
        folder = Files.createDirectory(disk.resolve("model"));
        Files.createDirectory(folder.resolve("data"));
        byte[] file = new byte[OFFSET + 24];
        OnnxMl.ModelProto.parseFrom(INSIDE)
                .getGraph()
                .getInitializer(0)
                .getRawData()
                .copyTo(file, OFFSET);
        Files.write(folder.resolve("data/weights.bin"), file);
        Files.write(disk.resolve("outside.bin"), file);
    }

    @Test
    void constantsInAnotherFileComeIntoTheModel() {
        byte[] whole = ExternalTensors.inline(at("data/weights.bin"), "m.onnx", ExternalData.in(folder));

        assertThat(OnnxReader.read(whole, "m.onnx")).usingRecursiveComparison().isEqualTo(MODEL);
    }

    @Test
    void aModelWithoutExternalDataStaysAsItIs() {
        assertThat(ExternalTensors.inline(INSIDE, "m.onnx", ExternalData.in(folder)))
                .isSameAs(INSIDE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"../outside.bin", "data/../../outside.bin", "/etc/passwd", "", ".", "C:\\x", "file:/x", "a//b"})
    void locationsOutsideTheModelsFolderAreRefusedUnread(String location) {
        byte[] model = at(location);

        assertThatThrownBy(() -> ExternalTensors.inline(model, "m.onnx", (path, offset, length) -> {
                    throw new AssertionError("read " + path);
                }))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("no path within the model's folder");
    }

    @Test
    void linksOutOfTheModelsFolderAreRefused() throws IOException {
        Files.createSymbolicLink(folder.resolve("link.bin"), disk.resolve("outside.bin"));

        assertFails(at("link.bin"), ErrorCode.BAD_INPUT, "outside the model's folder");
    }

    @Test
    void filesThatAreMissingOrTooShortAreNamed() throws IOException {
        assertFails(at("none.bin"), ErrorCode.IO, "'none.bin'");
        Files.write(folder.resolve("short.bin"), new byte[OFFSET + 23]);
        assertFails(at("short.bin"), ErrorCode.IO, "it ends at byte " + (OFFSET + 23));
    }

    @Test
    void lengthsAndOffsetsThatDoNotFitAreRefused() {
        assertFails(external("data/weights.bin", "0", "23", w -> {}), ErrorCode.BAD_INPUT, "needs 24 bytes but has 23");
        assertFails(external("data/weights.bin", "-1", "24", w -> {}), ErrorCode.BAD_INPUT, "at -1");
        assertFails(external("data/weights.bin", "x", "24", w -> {}), ErrorCode.BAD_INPUT, "no number");
        String huge = Long.toString(1L << 32);
        assertFails(
                external("data/weights.bin", "0", huge, w -> w.setDims(0, 1L << 29)), ErrorCode.BAD_INPUT, "more than");
    }

    private static byte[] at(String location) {
        return external(location, Integer.toString(OFFSET), "24", weight -> {});
    }

    private static byte[] external(
            String location, String offset, String length, Consumer<OnnxMl.TensorProto.Builder> change) {
        try {
            OnnxMl.ModelProto.Builder model = OnnxMl.ModelProto.parseFrom(INSIDE).toBuilder();
            OnnxMl.TensorProto.Builder weight = model.getGraphBuilder().getInitializerBuilder(0);
            weight.clearRawData().setDataLocation(DataLocation.EXTERNAL);
            weight.addExternalData(entry("location", location));
            weight.addExternalData(entry("offset", offset));
            weight.addExternalData(entry("length", length));
            change.accept(weight);
            return model.build().toByteArray();
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }

    private static OnnxMl.StringStringEntryProto entry(String key, String value) {
        return OnnxMl.StringStringEntryProto.newBuilder()
                .setKey(key)
                .setValue(value)
                .build();
    }

    private void assertFails(byte[] model, ErrorCode code, String part) {
        assertThatThrownBy(() -> ExternalTensors.inline(model, "m.onnx", ExternalData.in(folder)))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(code))
                .hasMessageContaining(part);
    }
}
