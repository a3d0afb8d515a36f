package dev.gptq.export;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.onnx.proto.OnnxMl;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.calibrate.LeftInFloat;
import dev.gptq.calibrate.PlanBuilder;
import dev.gptq.calibrate.QuantizationPlan;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.calibrate.StatisticsCollector;
import dev.gptq.config.QuantizationConfig;
import dev.gptq.engine.Engines;
import dev.gptq.engine.GraphExecutor;
import dev.gptq.evaluate.FloatModelCheck;
import dev.gptq.graph.ElementType;
import dev.gptq.graph.Graph;
import dev.gptq.graph.Node;
import dev.gptq.graph.SampleBatch;
import dev.gptq.graph.TensorData;
import dev.gptq.graph.pass.GraphPreparation;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.onnx.OnnxReader;
import dev.gptq.onnx.OnnxWriter;
import dev.gptq.testing.Closeness;
import dev.gptq.testing.GraphBuilder;
import dev.gptq.testing.Models;
import dev.gptq.testing.OnnxRuntime;
import dev.gptq.train.QuantizedStudent;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A network with an LSTM between linear layers and an If at its end, whose body reads tensors from around it. */
class KeptInFloatTest {
    private static final int SAMPLES = 4;
    private static final Map<String, TensorData> INPUT = Map.of("x", Models.random(3, SAMPLES, 7, 12));
    private static final byte[] MODEL = model();

    @Test
    void recurrenceAndControlFlowRunAsInOnnxRuntime() {
        Graph read = OnnxReader.read(MODEL, "model");

        TensorData expected = OnnxRuntime.run(MODEL, INPUT).get("out");

        Closeness.assertClose(Models.run(read, INPUT).get("out"), expected, 1e-4);
        Closeness.assertClose(OnnxRuntime.run(OnnxWriter.write(read), INPUT).get("out"), expected, 1e-6);
    }

    @Test
    void whatSurroundsThemIsQuantizedAndTheReportNamesThem() {
        QuantizationConfig config = QuantizationConfig.defaults();
        Graph prepared = GraphPreparation.prepare(OnnxReader.read(MODEL, "model"), config.preparation());
        SampleBatch batch = new SampleBatch(0, SAMPLES, INPUT, null);
        try (GraphExecutor executor = new GraphExecutor(prepared, Device.cpu());
                NDManager scope = Engines.newScope(Device.cpu())) {
            QuantizationPlan plan =
                    PlanBuilder.build(prepared, new StatisticsCollector(executor).collect(batch), config);
            List<QuantizedLayer> layers = PlanBuilder.roundToNearest(prepared, plan);
            byte[] exported = QdqExporter.export(prepared, plan, layers, config.opset());

            TensorData student = Engines.toTensor(new QuantizedStudent(executor, plan, layers)
                    .run(scope, batch)
                    .outputs()
                    .get("out"));
            Closeness.assertClose(OnnxRuntime.run(exported, INPUT).get("out"), student, 0.02);
            assertThat(OnnxReader.read(exported, "exported").nodes())
                    .extracting(Node::opType)
                    .contains("LSTM", "If", "QuantizeLinear");
            assertThat(layers).hasSize(2);
            assertThat(LeftInFloat.of(prepared, plan))
                    .extracting(LeftInFloat::operator)
                    .containsExactly("LSTM", "If");
        }
    }

    @Test
    void whatOnnxRuntimeDoesNotRunIsRefusedWithItsReason() {
        byte[] batchFirst = OnnxWriter.write(new GraphBuilder(14)
                .input("x", 2, 3, 8)
                .constant("W", Models.random(1, 1, 20, 8))
                .constant("R", Models.random(2, 1, 20, 5))
                .node("LSTM", "x W R", "out", "hidden_size", 5, "layout", 1)
                .build());

        FloatModelCheck.requireLoadable(OnnxModel.of(MODEL));
        assertThatThrownBy(() -> FloatModelCheck.requireLoadable(OnnxModel.of(batchFirst)))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNSUPPORTED_MODEL))
                .hasMessageContaining("LSTM");
    }

    private static byte[] model() {
        Graph graph = new GraphBuilder(13)
                .input("x", -1, 7, 12)
                .weight("w", 12, 8)
                .weight("v", 5, 3)
                .longs("axis", 1)
                .scalar("limit", 0.1f)
                .node("MatMul", "x w", "m")
                .node("Transpose", "m", "t", "perm", new long[] {1, 0, 2})
                .constant("W", Models.random(1, 1, 20, 8))
                .constant("R", Models.random(2, 1, 20, 5))
                .node("LSTM", "t W R", "l", "hidden_size", 5)
                .node("Squeeze", "l axis", "s")
                .node("MatMul", "s v", "product")
                .node("ReduceMax", "product", "largest", "keepdims", 0)
                .node("Greater", "largest limit", "condition")
                .build();
        try {
            OnnxMl.ModelProto.Builder model = OnnxMl.ModelProto.parseFrom(OnnxWriter.write(graph)).toBuilder();
            model.getGraphBuilder()
                    .addNode(OnnxMl.NodeProto.newBuilder()
                            .setName("choice")
                            .setOpType("If")
                            .addInput("condition")
                            .addOutput("out")
                            .addAttribute(body("then_branch", "Tanh"))
                            .addAttribute(body("else_branch", "Neg")));
            return model.build().toByteArray();
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }

    private static OnnxMl.AttributeProto body(String name, String operator) {
        OnnxMl.GraphProto.Builder body = OnnxMl.GraphProto.newBuilder().setName(name);
        body.addNode(OnnxMl.NodeProto.newBuilder()
                .setOpType(operator)
                .addInput("product")
                .addOutput(name + "_result"));
        body.addOutput(OnnxMl.ValueInfoProto.newBuilder()
                .setName(name + "_result")
                .setType(OnnxMl.TypeProto.newBuilder()
                        .setTensorType(
                                OnnxMl.TypeProto.Tensor.newBuilder().setElemType(ElementType.FLOAT32.onnxCode()))));
        return OnnxMl.AttributeProto.newBuilder()
                .setName(name)
                .setType(OnnxMl.AttributeProto.AttributeType.GRAPH)
                .setG(body)
                .build();
    }
}
