package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import ai.onnx.proto.OnnxMl.TensorProto.DataLocation;
import com.google.protobuf.UnsafeByteOperations;
import dev.gptq.GptqException;
import dev.gptq.graph.TensorData;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Brings constants that a model keeps in other files into the model. */
public final class ExternalTensors {
    private static final int HEAP_SHARE = 3;

    private final String source;
    private final ExternalData data;
    private final TensorReader reader;
    /** Bytes of the model, and of its file. */
    private long total;

    private long inside;

    private ExternalTensors(String source, ExternalData data, long total) {
        this.source = source;
        this.data = data;
        this.reader = new TensorReader(source);
        this.total = total;
        this.inside = total;
    }

    /**
     * A model with the constants that its file refers to: inside while all of them fit, else beside it. Of those beside it
     * only one at a time is held twice.
     *
     * @param file the content of the model file
     * @param source what messages call the model
     * @param limit the most bytes of the model's file with all constants inside, {@link OnnxModel#LARGEST_FILE} or less
     * @throws GptqException BAD_INPUT for locations that leave the model's folder, files that are missing or too short, and
     *     models that need more memory than there is; IO when reading fails otherwise
     */
    public static OnnxModel read(byte[] file, String source, ExternalData data, long limit) {
        OnnxMl.ModelProto model = OnnxReader.parse(file, source);
        ExternalTensors tensors = new ExternalTensors(source, data, file.length);
        long bytes = file.length;
        for (OnnxMl.TensorProto initializer : model.getGraph().getInitializerList()) {
            bytes += isExternal(initializer) ? tensors.reader.byteCount(initializer, initializer.getName()) : 0;
        }
        if (bytes <= limit) {
            return OnnxModel.of(inline(file, source, data));
        }
        Map<String, TensorData> outside = new LinkedHashMap<>();
        OnnxMl.ModelProto.Builder builder = model.toBuilder();
        for (OnnxMl.TensorProto.Builder initializer : builder.getGraphBuilder().getInitializerBuilderList()) {
            if (initializer.getDataLocation() == DataLocation.EXTERNAL) {
                OnnxMl.TensorProto.Builder loaded = initializer.build().toBuilder();
                tensors.load(loaded);
                outside.put(initializer.getName(), tensors.reader.read(loaded.build(), initializer.getName()));
            }
        }
        for (OnnxMl.NodeProto.Builder node : builder.getGraphBuilder().getNodeBuilderList()) {
            tensors.inline(node);
        }
        return new OnnxModel(builder.build().toByteArray(), outside);
    }

    /**
     * The model with all constants inside; the given bytes themselves when they are inside already.
     *
     * @param file the content of the model file
     * @param source what messages call the model
     * @throws GptqException BAD_INPUT for locations that leave the model's folder, files that are missing or too short, and
     *     models that need more memory than there is; IO when reading fails otherwise
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
        graph.getNodeBuilderList().forEach(this::inline);
    }

    private void inline(OnnxMl.NodeProto.Builder node) {
        for (OnnxMl.AttributeProto.Builder attribute : node.getAttributeBuilderList()) {
            if (attribute.hasT()) {
                inline(attribute.getTBuilder());
            }
            if (attribute.hasG()) {
                inline(attribute.getGBuilder());
            }
        }
    }

    private void inline(OnnxMl.TensorProto.Builder tensor) {
        if (tensor.getDataLocation() != DataLocation.EXTERNAL) {
            return;
        }
        load(tensor);
        inside += tensor.getRawData().size();
        if (inside > OnnxModel.LARGEST_FILE) {
            throw GptqException.badInput(
                    "Cannot read model %s: constants of its nodes have more than 2 GB of external data. Save them as"
                            + " initializers.",
                    source);
        }
    }

    private void load(OnnxMl.TensorProto.Builder tensor) {
        String location = entry(tensor, "location", "");
        requireInside(location, tensor.getName());
        long offset = number(tensor, "offset", 0);
        long expected = reader.byteCount(tensor.build(), tensor.getName());
        long length = number(tensor, "length", expected);
        if (length != expected || offset < 0) {
            throw GptqException.badInput(
                    "Cannot read model %s: constant '%s' of shape %s needs %d bytes but has %d at %d in '%s'. Save the model"
                            + " again.",
                    source, tensor.getName(), tensor.getDimsList(), expected, length, offset, location);
        }
        total += length;
        if (total > Runtime.getRuntime().maxMemory() / HEAP_SHARE) {
            throw GptqException.badInput(
                    "Cannot read model %s: with its external data it has more than %d MB, and the driver has %d MB of memory in"
                            + " all. Give it at least %d times the model's size (--driver-memory).",
                    source, total >> 20, Runtime.getRuntime().maxMemory() >> 20, HEAP_SHARE);
        }
        if (length > OnnxModel.LARGEST_FILE) {
            throw GptqException.badInput(
                    "Cannot read model %s: constant '%s' has %d MB, and one constant may have 2048 MB. Split it.",
                    source, tensor.getName(), length >> 20);
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
