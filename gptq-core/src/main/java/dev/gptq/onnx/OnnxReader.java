package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.graph.Graph;
import dev.gptq.graph.OperatorSupport;
import dev.gptq.graph.pass.LayerShapes;
import java.io.IOException;

/** Reads ONNX model files. */
public final class OnnxReader {
    private static final int MAX_NESTING = 50;

    private OnnxReader() {}

    /**
     * Parses a model.
     *
     * @param bytes the file's content
     * @param source what messages call the model, usually its path
     * @throws dev.gptq.GptqException BAD_INPUT when the bytes are no valid model, or layers do not fit their inputs;
     *     UNSUPPORTED_MODEL with all unsupported operators and their node names at once
     */
    public static Graph read(byte[] bytes, String source) {
        return read(OnnxModel.of(bytes), source);
    }

    /** As the other one, for a model with constants beside its file; the graph shares their arrays. */
    public static Graph read(OnnxModel file, String source) {
        OnnxMl.ModelProto model = parse(file.file(), source);
        if (!model.hasGraph() || model.getGraph().getNodeCount() == 0) {
            throw GptqException.badInput(
                    "Cannot read model %s: it holds no graph. Give the path of an ONNX model file.", source);
        }
        ModelLimits.require(model.getGraph(), source, Runtime.getRuntime().maxMemory());
        AttributeLimits.require(model.getGraph(), source);
        int opset = opset(model, source);
        if (model.getFunctionsCount() > 0) {
            throw GptqException.unsupported(
                    "Cannot read model %s: it defines functions (%s). Inline them, for instance with onnx.inliner.",
                    source, model.getFunctions(0).getName());
        }
        Graph graph = new GraphReader(model.getGraph(), opset, source, file.outside()).read();
        LayerShapes.require(graph, source);
        return graph;
    }

    static OnnxMl.ModelProto parse(byte[] bytes, String source) {
        CodedInputStream input = CodedInputStream.newInstance(bytes);
        input.setRecursionLimit(MAX_NESTING);
        try {
            OnnxMl.ModelProto model = OnnxMl.ModelProto.parseFrom(input);
            input.checkLastTagWas(0);
            return model;
        } catch (InvalidProtocolBufferException e) {
            throw new GptqException(
                    ErrorCode.BAD_INPUT,
                    "Cannot read model " + source + ": it is no ONNX file (" + e.getMessage()
                            + "). Give the path of an ONNX model file.",
                    e);
        } catch (IOException e) {
            throw GptqException.io(e, "Cannot read model %s: %s.", source, e.getMessage());
        }
    }

    private static int opset(OnnxMl.ModelProto model, String source) {
        for (OnnxMl.OperatorSetIdProto imported : model.getOpsetImportList()) {
            if (GraphReader.isDefaultDomain(imported.getDomain())) {
                long version = imported.getVersion();
                if (version < OperatorSupport.MIN_OPSET || version > OperatorSupport.MAX_OPSET) {
                    throw GptqException.unsupported(
                            "Cannot read model %s: it uses opset %d but opsets %d to %d are supported. Export it again at"
                                    + " opset 13 or convert it.",
                            source, version, OperatorSupport.MIN_OPSET, OperatorSupport.MAX_OPSET);
                }
                return (int) version;
            }
        }
        throw GptqException.badInput(
                "Cannot read model %s: it imports no version of the ONNX operator set. Export the model again.",
                source);
    }
}
