package dev.gptq.spark.cluster;

import ai.djl.Device;
import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.gptq.engine.Engines;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/** Counts the native arrays that live in this JVM. */
final class NativeArrays {
    private NativeArrays() {}

    /** Appends the number of arrays to a file of this process in the faults' folder. */
    static void record() {
        String folder = System.getProperty(Faults.FOLDER);
        if (folder == null) {
            return;
        }
        Path file = file(Path.of(folder), ProcessHandle.current().pid());
        try {
            Files.writeString(file, alive() + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Path file(Path folder, long pid) {
        return folder.resolve("arrays-" + pid);
    }

    static int alive() {
        try (NDManager scope = Engines.newScope(Device.cpu())) {
            NDManager top = scope;
            while (top.getParentManager() != null && top.getParentManager() != top) {
                top = top.getParentManager();
            }
            return count(top);
        }
    }

    private static int count(Object owner) {
        int arrays = 0;
        for (Object resource : resources(owner).values()) {
            arrays += resource instanceof NDArray ? 1 : resource instanceof BaseNDManager ? count(resource) : 0;
        }
        return arrays;
    }

    private static Map<?, ?> resources(Object manager) {
        try {
            Field field = BaseNDManager.class.getDeclaredField("resources");
            field.setAccessible(true);
            return (Map<?, ?>) field.get(manager);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
