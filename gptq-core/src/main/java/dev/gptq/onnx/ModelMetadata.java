package dev.gptq.onnx;

import ai.onnx.proto.OnnxMl;
import java.util.Arrays;
import java.util.List;

/** Keys and values of a model's author for the programs that run it: a recognizer's characters, names of classes. */
public final class ModelMetadata {
    private ModelMetadata() {}

    /** {@code model} with the metadata that {@code original} has. */
    public static OnnxModel copy(OnnxModel original, OnnxModel model) {
        List<OnnxMl.StringStringEntryProto> entries =
                OnnxReader.parse(original.file(), "of the run").getMetadataPropsList();
        if (entries.isEmpty()) {
            return model;
        }
        // Protobuf messages that follow one another are one, with the lists of both.
        byte[] addition = OnnxMl.ModelProto.newBuilder()
                .addAllMetadataProps(entries)
                .build()
                .toByteArray();
        byte[] file = Arrays.copyOf(model.file(), model.file().length + addition.length);
        System.arraycopy(addition, 0, file, model.file().length, addition.length);
        return new OnnxModel(file, model.outside());
    }
}
