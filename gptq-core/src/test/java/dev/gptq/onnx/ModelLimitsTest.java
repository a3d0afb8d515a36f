package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.ByteString;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class ModelLimitsTest {
    private static final long MEGABYTE = 1 << 20;

    @ParameterizedTest
    @CsvSource({"FLOAT, 4", "DOUBLE, 8", "INT8, 1", "INT16, 8"})
    void constantsMayTakeAThirdOfTheHeap(OnnxMl.TensorProto.DataType type, int bytesHeld) {
        OnnxMl.GraphProto graph = withConstants(type, MEGABYTE, 2);

        assertThatCode(() -> ModelLimits.require(graph, "m.onnx", 2L * bytesHeld * 3 * MEGABYTE))
                .doesNotThrowAnyException();
        GptqException failure = refused(graph, 2L * bytesHeld * 3 * MEGABYTE - MEGABYTE);
        assertThat(failure.code()).isEqualTo(ErrorCode.BAD_INPUT);
        assertThat(failure).hasMessageContainingAll("m.onnx", "take " + 2 * bytesHeld + " MB", "--driver-memory");
    }

    @Test
    void aShapeThatClaimsMoreThanIsStoredIsLeftToTheReader() {
        OnnxMl.GraphProto graph = OnnxMl.GraphProto.newBuilder()
                .addInitializer(OnnxMl.TensorProto.newBuilder().setDataType(1).addDims(Long.MAX_VALUE))
                .build();

        assertThatCode(() -> ModelLimits.require(graph, "m.onnx", MEGABYTE)).doesNotThrowAnyException();
    }

    @Test
    void valuesInFieldsOfTheirTypeCount() {
        OnnxMl.TensorProto.Builder tensor = OnnxMl.TensorProto.newBuilder().setDataType(7);
        for (int i = 0; i < MEGABYTE / Long.BYTES; i++) {
            tensor.addInt64Data(i);
        }

        assertThat(refused(OnnxMl.GraphProto.newBuilder().addInitializer(tensor).build(), 2 * MEGABYTE))
                .hasMessageContaining("take 1 MB");
    }

    @Test
    void valuesOfConstantNodesCount() {
        OnnxMl.AttributeProto value = OnnxMl.AttributeProto.newBuilder()
                .setName("value")
                .setT(tensor(OnnxMl.TensorProto.DataType.FLOAT, 3 * MEGABYTE))
                .build();
        OnnxMl.GraphProto graph = OnnxMl.GraphProto.newBuilder()
                .addNode(OnnxMl.NodeProto.newBuilder().setOpType("Constant").addAttribute(value))
                .build();

        assertThat(refused(graph, 35 * MEGABYTE)).hasMessageContaining("take 12 MB");
    }

    @Test
    void aModelOfTooManyNodesIsNotUnpacked() {
        OnnxMl.GraphProto.Builder graph = OnnxMl.GraphProto.newBuilder();
        OnnxMl.NodeProto node = OnnxMl.NodeProto.newBuilder().setOpType("Relu").build();
        for (int i = 0; i <= ModelLimits.MAX_NODES; i++) {
            graph.addNode(node);
        }

        GptqException failure = refused(graph.build(), 1L << 40);

        assertThat(failure.code()).isEqualTo(ErrorCode.UNSUPPORTED_MODEL);
        assertThat(failure).hasMessageContainingAll("100001 nodes", "more than 100000");
    }

    private static GptqException refused(OnnxMl.GraphProto graph, long heap) {
        return catchThrowableOfType(GptqException.class, () -> ModelLimits.require(graph, "m.onnx", heap));
    }

    private static OnnxMl.GraphProto withConstants(OnnxMl.TensorProto.DataType type, long elements, int count) {
        OnnxMl.GraphProto.Builder graph = OnnxMl.GraphProto.newBuilder();
        for (int i = 0; i < count; i++) {
            graph.addInitializer(tensor(type, elements));
        }
        return graph.build();
    }

    private static OnnxMl.TensorProto tensor(OnnxMl.TensorProto.DataType type, long elements) {
        int width = type == OnnxMl.TensorProto.DataType.DOUBLE
                ? 8
                : type == OnnxMl.TensorProto.DataType.FLOAT ? 4 : type == OnnxMl.TensorProto.DataType.INT16 ? 2 : 1;
        return OnnxMl.TensorProto.newBuilder()
                .setDataType(type.getNumber())
                .addDims(elements)
                .setRawData(ByteString.copyFrom(new byte[Math.toIntExact(elements * width)]))
                .build();
    }
}
