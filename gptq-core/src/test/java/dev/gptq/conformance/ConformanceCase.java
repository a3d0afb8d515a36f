package dev.gptq.conformance;

import ai.onnx.proto.OnnxMl;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One case of the suite: a model and, for each of its data sets, the inputs and the outputs that belong to them.
 *
 * @param name its folder, as in {@code node/test_abs}
 * @param model the parsed model
 * @param bytes the model file
 * @param dataSets inputs and outputs in the model's order
 */
record ConformanceCase(String name, OnnxMl.ModelProto model, byte[] bytes, List<DataSet> dataSets) {
    record DataSet(List<byte[]> inputs, List<byte[]> outputs) {}

    static ConformanceCase read(Path folder) {
        try {
            byte[] bytes = Files.readAllBytes(folder.resolve("model.onnx"));
            List<DataSet> dataSets = new ArrayList<>();
            for (int i = 0; Files.isDirectory(folder.resolve("test_data_set_" + i)); i++) {
                Path set = folder.resolve("test_data_set_" + i);
                dataSets.add(new DataSet(files(set, "input_"), files(set, "output_")));
            }
            String name = folder.getParent().getFileName() + "/" + folder.getFileName();
            return new ConformanceCase(name, OnnxMl.ModelProto.parseFrom(bytes), bytes, dataSets);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read conformance case " + folder, e);
        }
    }

    private static List<byte[]> files(Path folder, String prefix) throws IOException {
        List<byte[]> contents = new ArrayList<>();
        for (int i = 0; Files.exists(folder.resolve(prefix + i + ".pb")); i++) {
            contents.add(Files.readAllBytes(folder.resolve(prefix + i + ".pb")));
        }
        return contents;
    }

    /** The version of ONNX's own operator set that the model imports. */
    long opset() {
        return model.getOpsetImportList().stream()
                .filter(imported -> imported.getDomain().isEmpty())
                .mapToLong(OnnxMl.OperatorSetIdProto::getVersion)
                .findFirst()
                .orElse(0);
    }
}
