package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import ai.onnx.proto.OnnxMl.TensorProto.DataLocation;
import com.google.protobuf.UnsafeByteOperations;
import dev.gptq.GptqException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** Brings constants that a model keeps in other files into the model. */
public final class ExternalTensors {
    /** What a protobuf message, and an array, can hold. */
    private static final long LARGEST_MODEL = Integer.MAX_VALUE - (1L << 20);

    private static final int HEAP_SHARE = 3;

    private final String source;
    private final ExternalData data;
    private long total;

    private ExternalTensors(String source, ExternalData data, long total) {
        this.source = source;
        this.data = data;
        this.total = total;
    }

    /**
     * The model with all constants inside; the given bytes themselves when they are inside already.
     *
     * @param file the content of the model file
     * @param source what messages call the model
     * @throws GptqException BAD_INPUT for locations that leave the model's folder, files that are missing or too short, and
     *     models of 2 GB or more; IO when reading fails otherwise
     */
    public static byte[] inline(byte[] file, String source, ExternalData data) {
        OnnxMl.ModelProto model = OnnxReader.parse(file, source);
        if (!holdsExternal(model.getGraph())) {
            return file;
        }
        OnnxMl.ModelProto.Builder builder = model.toBuilder();
        new ExternalTensors(source, data, file.length).inline(builder.getGraphBuilder());
        return builder.build().toByteArray();
    }

    private static boolean holdsExternal(OnnxMl.GraphProto graph) {
        return graph.getInitializerList().stream().anyMatch(ExternalTensors::isExternal)
                || graph.getNodeList().stream()
                        .flatMap(node -> node.getAttributeList().stream())
                        .anyMatch(attribute ->
                                isExternal(attribute.getT()) || attribute.hasG() && holdsExternal(attribute.getG()));
    }

    private static boolean isExternal(OnnxMl.TensorProto tensor) {
        return tensor.getDataLocation() == DataLocation.EXTERNAL;
    }

    private void inline(OnnxMl.GraphProto.Builder graph) {
        graph.getInitializerBuilderList().forEach(this::inline);
        for (OnnxMl.NodeProto.Builder node : graph.getNodeBuilderList()) {
            for (OnnxMl.AttributeProto.Builder attribute : node.getAttributeBuilderList()) {
                if (attribute.hasT()) {
                    inline(attribute.getTBuilder());
                }
                if (attribute.hasG()) {
                    inline(attribute.getGBuilder());
                }
            }
        }
    }

    private void inline(OnnxMl.TensorProto.Builder tensor) {
        if (tensor.getDataLocation() != DataLocation.EXTERNAL) {
            return;
        }
        String location = entry(tensor, "location", "");
        requireInside(location, tensor.getName());
        long offset = number(tensor, "offset", 0);
        long expected = new TensorReader(source).byteCount(tensor.build(), tensor.getName());
        long length = number(tensor, "length", expected);
        if (length != expected || offset < 0) {
            throw GptqException.badInput(
                    "Cannot read model %s: constant '%s' of shape %s needs %d bytes but has %d at %d in '%s'. Save the model"
                            + " again.",
                    source, tensor.getName(), tensor.getDimsList(), expected, length, offset, location);
        }
        total += length;
        if (total > LARGEST_MODEL || total > Runtime.getRuntime().maxMemory() / HEAP_SHARE) {
            throw GptqException.badInput(
                    "Cannot read model %s: with its external data it has more than %d MB, and the driver has %d MB of memory in"
                            + " all. Give it more (--driver-memory); models of 2 GB and more are not supported.",
                    source, total >> 20, Runtime.getRuntime().maxMemory() >> 20);
        }
        try {
            byte[] bytes = data.read(location, offset, (int) length);
            tensor.clearExternalData().clearDataLocation().setRawData(UnsafeByteOperations.unsafeWrap(bytes));
        } catch (IOException e) {
            throw GptqException.io(
                    e,
                    "Cannot read model %s: constant '%s' lies in '%s' at %d, which cannot be read (%s). Copy the file beside"
                            + " the model.",
                    source,
                    tensor.getName(),
                    location,
                    offset,
                    e.getMessage());
        }
    }

    /** A location is a relative path within the model's folder, written with slashes. */
    private void requireInside(String location, String tensor) {
        List<String> steps = Arrays.asList(location.split("/", -1));
        boolean inside = !location.isEmpty()
                && location.chars().noneMatch(c -> c == '\\' || c == ':' || c < ' ')
                && steps.stream().noneMatch(step -> step.isEmpty() || step.equals(".") || step.equals(".."));
        if (!inside) {
            throw GptqException.badInput(
                    "Cannot read model %s: constant '%s' is stored at '%s', which is no path within the model's folder. Save"
                            + " the model again with its data beside it.",
                    source, tensor, location);
        }
    }

    private static String entry(OnnxMl.TensorProto.Builder tensor, String key, String absent) {
        return tensor.getExternalDataList().stream()
                .filter(entry -> entry.getKey().equals(key))
                .map(OnnxMl.StringStringEntryProto::getValue)
                .findFirst()
                .orElse(absent);
    }

    private long number(OnnxMl.TensorProto.Builder tensor, String key, long absent) {
        String text = entry(tensor, key, Long.toString(absent));
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw GptqException.badInput(
                    "Cannot read model %s: the %s of constant '%s' in its external data is '%s', which is no number. Save the"
                            + " model again.",
                    source, key, tensor.getName(), text);
        }
    }
}
