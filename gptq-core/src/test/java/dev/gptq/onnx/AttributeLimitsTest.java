package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Most of these end the process when ONNX Runtime gets to run them, or keep it busy for ever. */
class AttributeLimitsTest {
    @ParameterizedTest
    @CsvSource({
        "Conv, strides, 0 0",
        "Conv, dilations, 0 1",
        "Conv, pads, -9 0 0 0",
        "MaxPool, strides, 0 0",
        "AveragePool, kernel_shape, 2 0",
        "LpPool, kernel_shape, 4294967296 1",
        "ConvTranspose, output_padding, -9 -9",
        "ConvTranspose, output_shape, -5 0",
        "GroupNormalization, num_groups, 0",
        "DepthToSpace, blocksize, 0"
    })
    void impossibleNumbersAreRefused(String operator, String attribute, String numbers) {
        assertThatThrownBy(() -> read(operator, Map.of(attribute, longs(numbers))))
                .isInstanceOf(GptqException.class)
                .hasMessage(
                        "Cannot read model m.onnx: its attributes are impossible: 'out' (%s) has %s [%s]. Export it"
                                + " again; onnx.checker helps to find out why.",
                        operator, attribute, numbers.replace(" ", ", "))
                .extracting(e -> ((GptqException) e).code())
                .isEqualTo(ErrorCode.BAD_INPUT);
    }

    @Test
    void attributesOfUnequalRanksAreRefused() {
        assertThatThrownBy(() -> read("MaxPool", Map.of("kernel_shape", longs("2 2"), "pads", longs("1 1"))))
                .hasMessageContaining("'out' (MaxPool) has pads [1, 1] for 2 spatial dimensions");
    }

    @Test
    void bodiesOfControlFlowAreLookedAtToo() {
        OnnxMl.GraphProto body = OnnxMl.GraphProto.newBuilder()
                .addNode(OnnxMl.NodeProto.newBuilder()
                        .setName("inner")
                        .setOpType("MaxPool")
                        .addAttribute(OnnxMl.AttributeProto.newBuilder()
                                .setName("strides")
                                .addInts(0)))
                .build();
        OnnxMl.GraphProto graph = OnnxMl.GraphProto.newBuilder()
                .addNode(OnnxMl.NodeProto.newBuilder()
                        .setOpType("If")
                        .addAttribute(OnnxMl.AttributeProto.newBuilder()
                                .setName("then_branch")
                                .setG(body)))
                .build();

        assertThatThrownBy(() -> AttributeLimits.require(graph, "m.onnx"))
                .hasMessageContaining("'inner' (MaxPool) has strides [0]");
    }

    @Test
    void theSmallestNumbersThatAreAllowedAreRead() {
        Graph graph = read(
                "MaxPool", Map.of("kernel_shape", longs("1 1"), "strides", longs("1 1"), "pads", longs("0 0 0 0")));
        assertThat(graph.nodes()).hasSize(1);
        assertThat(OnnxReader.read(Models.bytes("m2_bn"), "m2_bn").nodes()).isNotEmpty();
    }

    private static Graph read(String operator, Map<String, long[]> attributes) {
        Object[] values = attributes.entrySet().stream()
                .flatMap(entry -> Stream.of(
                        entry.getKey(), entry.getValue().length == 1 ? (Object) entry.getValue()[0] : entry.getValue()))
                .toArray();
        GraphBuilder builder = new GraphBuilder(21)
                .input("x", -1, 3, 8, 8)
                .weight("w", 3, 3, 3, 3)
                .node(operator, operator.startsWith("Conv") ? "x w" : "x", "out", values);
        return OnnxReader.read(OnnxWriter.write(builder.build()), "m.onnx");
    }

    private static long[] longs(String numbers) {
        return Arrays.stream(numbers.split(" ")).mapToLong(Long::parseLong).toArray();
    }
}
