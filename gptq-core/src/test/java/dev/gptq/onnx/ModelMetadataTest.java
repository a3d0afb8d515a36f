package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.ValueInfo;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ModelMetadataTest {
    private static final OnnxModel MODEL = OnnxModel.of(OnnxWriter.write(new Graph(
            "relu",
            13,
            List.of(new ValueInfo("x", ElementType.FLOAT32, new long[] {-1, 4})),
            List.of(new ValueInfo("y", ElementType.FLOAT32, new long[] {-1, 4})),
            Map.of(),
            List.of(new Node("relu", "Relu", List.of("x"), List.of("y"), Map.of())))));

    @Test
    void onnxRuntimeFindsTheOriginalsMetadataInTheCopy() throws Exception {
        byte[] original = OnnxReader.parse(MODEL.file(), "m").toBuilder()
                .addMetadataProps(OnnxMl.StringStringEntryProto.newBuilder()
                        .setKey("character")
                        .setValue("a\nb\nç"))
                .build()
                .toByteArray();

        OnnxModel copy = ModelMetadata.copy(OnnxModel.of(original), MODEL);

        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(copy.file())) {
            assertThat(session.getMetadata().getCustomMetadata()).containsExactly(Map.entry("character", "a\nb\nç"));
        }
        assertThat(OnnxWriter.write(OnnxReader.read(copy, "m"))).isEqualTo(MODEL.file());
    }

    @Test
    void aModelWithoutMetadataChangesNothing() {
        assertThat(ModelMetadata.copy(MODEL, MODEL)).isSameAs(MODEL);
    }
}
