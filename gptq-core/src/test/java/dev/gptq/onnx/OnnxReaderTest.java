package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.ByteString;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.PreparationConfig;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class OnnxReaderTest {
    private static final Graph SIMPLE = new GraphBuilder(13)
            .input("x", -1, 3)
            .weight("w", 3, 2)
            .node("MatMul", "x w", "m")
            .node("Relu", "m", "out")
            .build();

    @Test
    void aWrittenGraphReadsBackAsItWas() {
        byte[] bytes = OnnxWriter.write(SIMPLE);

        Graph read = OnnxReader.read(bytes, "model");

        assertThat(read).usingRecursiveComparison().isEqualTo(SIMPLE);
        assertThat(OnnxWriter.write(read)).isEqualTo(bytes);
    }

    @Test
    void bytesThatAreNoModelAreRefused() {
        byte[] text = "no model at all".getBytes(StandardCharsets.UTF_8);
        assertFails(text, ErrorCode.BAD_INPUT, "Cannot read model m.onnx: ");
        assertFails(new byte[0], ErrorCode.BAD_INPUT, "holds no graph");
    }

    @Test
    void everyTruncationOfAModelIsADomainError() {
        byte[] whole = OnnxWriter.write(SIMPLE);
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> OnnxReader.read(part, "m.onnx")).isInstanceOf(GptqException.class);
        }
    }

    @Test
    void allUnsupportedOperatorsAreNamedAtOnce() {
        byte[] bytes = changed(graph -> graph.addNode(node("Bernoulli", "random", "x", "a"))
                .addNode(node("SequenceAt", "", "x", "b"))
                .addNode(node("Gelu", "g", "x", "c").setDomain("com.microsoft")));
        assertFails(
                bytes, ErrorCode.UNSUPPORTED_MODEL, "Bernoulli (random); SequenceAt (node 3); com.microsoft.Gelu (g)");
    }

    @Test
    void unsupportedFormsOfOperatorsAreNamed() {
        assertUnsupported(
                graph -> graph.addNode(
                        node("BatchNormalization", "p", "x", "a").addAttribute(integer("training_mode", 1))),
                "'p' (BatchNormalization) has training_mode 1");
    }

    @Test
    void aQuantizedModelIsRefusedWithTheReason() {
        Graph quantized = read(graph -> graph.addNode(node("DequantizeLinear", "dq", "x", "a")));

        assertThatThrownBy(() -> GraphPreparation.prepare(quantized, PreparationConfig.defaults()))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("already quantized");
    }

    @Test
    void halfPrecisionAndExternalWeightsAreRefusedWithTheReason() {
        assertUnsupported(
                graph -> graph.addInitializer(OnnxMl.TensorProto.newBuilder()
                        .setName("h")
                        .setDataType(OnnxMl.TensorProto.DataType.FLOAT16.getNumber())),
                "'h' is of type FLOAT16");
        assertUnsupported(
                graph -> graph.addInitializer(floats("e", 1).setDataLocation(OnnxMl.TensorProto.DataLocation.EXTERNAL)),
                "'e' is stored outside the file");
    }

    @Test
    void constantsWhoseSizeDoesNotFitTheirShapeAreRefused() {
        assertBad(
                graph -> graph.addInitializer(floats("c", 2, 3).setRawData(ByteString.copyFrom(new byte[20]))), "'c'");
        assertBad(graph -> graph.addInitializer(floats("c", 2, 3).addFloatData(1)), "needs 6 elements but has 1");
        assertBad(graph -> graph.addInitializer(floats("c", -1)), "impossible shape");
        assertBad(graph -> graph.addInitializer(floats("c", 1L << 40, 1L << 40)), "impossible shape");
    }

    @Test
    void missingTensorsCyclesAndDoubleNamesAreRefused() {
        assertBad(graph -> graph.addNode(node("Relu", "r", "nowhere", "a")), "reads tensor 'nowhere'");
        assertBad(graph -> graph.addNode(node("Relu", "r", "b", "a")).addNode(node("Relu", "s", "a", "b")), "cycle");
        assertBad(graph -> graph.addNode(node("Relu", "r", "x", "m")), "tensor 'm' is produced twice");
        assertBad(graph -> graph.addOutput(graph.getOutput(0).toBuilder().setName("o")), "output 'o'");
    }

    @Test
    void opsetsOutsideTheRangeAreRefused() {
        assertFails(model(13).clearOpsetImport().build().toByteArray(), ErrorCode.BAD_INPUT, "no version");
        assertFails(model(5).build().toByteArray(), ErrorCode.UNSUPPORTED_MODEL, "opset 5");
        assertFails(model(99).build().toByteArray(), ErrorCode.UNSUPPORTED_MODEL, "opset 99");
    }

    @Test
    void nodesGetUniqueNamesAndTopologicalOrder() {
        Graph graph = read(builder -> {
            OnnxMl.NodeProto first = builder.getNode(0);
            builder.removeNode(0)
                    .addNode(first)
                    .addNode(node("Sigmoid", "", "m", "a"))
                    .addNode(node("Neg", "out", "m", "b"));
        });

        assertThat(graph.nodes()).extracting(Node::opType).containsExactly("MatMul", "Relu", "Sigmoid", "Neg");
        assertThat(graph.nodes()).extracting(Node::name).containsExactly("m", "out", "Sigmoid_2", "out_3");
    }

    @Test
    void constantNodesAndListedInitializersBecomeConstants() {
        Graph graph =
                read(builder -> builder.addInput(builder.getInput(0).toBuilder().setName("w"))
                        .addNode(OnnxMl.NodeProto.newBuilder()
                                .setOpType("Constant")
                                .addOutput("k")
                                .addAttribute(OnnxMl.AttributeProto.newBuilder()
                                        .setName("value_ints")
                                        .setType(OnnxMl.AttributeProto.AttributeType.INTS)
                                        .addInts(4)
                                        .addInts(5))));

        assertThat(graph.inputs()).extracting(input -> input.name()).containsExactly("x");
        assertThat(graph.constants().get("k"))
                .usingRecursiveComparison()
                .isEqualTo(TensorData.ofLongs(ElementType.INT64, new long[] {4, 5}, 2));
    }

    @Test
    void aRealModelKeepsItsNamesAndItsDynamicBatch() {
        Graph graph = OnnxReader.read(Models.bytes("m1_bn"), "m1_bn");

        assertThat(graph.inputs().get(0).shape()).containsExactly(-1, 1, 28, 28);
        assertThat(graph.outputs().get(0).name()).isEqualTo("logits");
    }

    private static Graph read(Consumer<OnnxMl.GraphProto.Builder> change) {
        return OnnxReader.read(changed(change), "m.onnx");
    }

    private static byte[] changed(Consumer<OnnxMl.GraphProto.Builder> change) {
        OnnxMl.ModelProto.Builder model = model(13);
        change.accept(model.getGraphBuilder());
        return model.build().toByteArray();
    }

    private static OnnxMl.ModelProto.Builder model(int opset) {
        try {
            OnnxMl.ModelProto.Builder model = OnnxMl.ModelProto.parseFrom(OnnxWriter.write(SIMPLE)).toBuilder();
            model.getOpsetImportBuilder(0).setVersion(opset);
            return model;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static OnnxMl.NodeProto.Builder node(String type, String name, String input, String output) {
        return OnnxMl.NodeProto.newBuilder()
                .setOpType(type)
                .setName(name)
                .addInput(input)
                .addOutput(output);
    }

    private static OnnxMl.AttributeProto integer(String name, long value) {
        return OnnxMl.AttributeProto.newBuilder()
                .setName(name)
                .setType(OnnxMl.AttributeProto.AttributeType.INT)
                .setI(value)
                .build();
    }

    private static OnnxMl.TensorProto.Builder floats(String name, long... dims) {
        OnnxMl.TensorProto.Builder tensor =
                OnnxMl.TensorProto.newBuilder().setName(name).setDataType(1);
        Arrays.stream(dims).forEach(tensor::addDims);
        return tensor;
    }

    private static void assertBad(Consumer<OnnxMl.GraphProto.Builder> change, String part) {
        assertFails(changed(change), ErrorCode.BAD_INPUT, part);
    }

    private static void assertUnsupported(Consumer<OnnxMl.GraphProto.Builder> change, String part) {
        assertFails(changed(change), ErrorCode.UNSUPPORTED_MODEL, part);
    }

    private static void assertFails(byte[] bytes, ErrorCode code, String part) {
        assertThatThrownBy(() -> OnnxReader.read(bytes, "m.onnx"))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(code))
                .hasMessageContaining(part);
    }
}
