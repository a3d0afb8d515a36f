package dev.gptq.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A function in PyTorch's own language, for operations that DJL has no call for. It holds no tensors, runs where its
 * arguments are, is differentiable like any operation, and may be called from several threads at once. One that is loaded
 * stays for the life of the JVM.
 */
final class TorchScript {
    /** A module as the archive format has it (PyTorch, "TorchScript serialization"): an object without attributes. */
    private static final String MODULE =
            """
            class Function(Module):
              __parameters__ = []
              __buffers__ = []
            """;

    /** Pickle protocol 2: an instance of __torch__.Function with an empty dictionary. */
    private static final String INSTANCE = "\u0080\u0002c__torch__\nFunction\n)\u0081}b.";
    /** Pickle protocol 2: an empty tuple. */
    private static final String NO_CONSTANTS = "\u0080\u0002).";

    private static final String FORMAT_VERSION = "3\n";
    private static final String LIST = "list[]";

    private final Block block;

    /** {@code forward} defines the method of that name, with two spaces of indentation and tensors for arguments. */
    TorchScript(String forward) {
        this.block = PyTorchCalls.load(archive(MODULE + forward));
    }

    /** Calls a function of tensors; its results belong to the first argument's manager. */
    NDList call(NDArray... arguments) {
        return PyTorchCalls.forward(block, new NDList(arguments));
    }

    /** Calls a function whose first parameter is a list. */
    NDList call(List<NDArray> list, NDArray... others) {
        // DJL tells by their names which arrays make up a list; an array may stand in it more than once.
        List<String> names = list.stream().map(NDArray::getName).toList();
        NDList arguments = new NDList(list);
        arguments.addAll(List.of(others));
        try {
            list.forEach(array -> array.setName(LIST));
            return PyTorchCalls.forward(block, arguments);
        } finally {
            for (int i = list.size() - 1; i >= 0; i--) {
                list.get(i).setName(names.get(i));
            }
        }
    }

    private static byte[] archive(String code) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream archive = new ZipOutputStream(bytes)) {
            put(archive, "data.pkl", INSTANCE);
            put(archive, "code/__torch__.py", code);
            put(archive, "constants.pkl", NO_CONSTANTS);
            put(archive, "version", FORMAT_VERSION);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static void put(ZipOutputStream archive, String name, String content) throws IOException {
        archive.putNextEntry(new ZipEntry("function/" + name));
        archive.write(content.getBytes(StandardCharsets.ISO_8859_1));
        archive.closeEntry();
    }
}
