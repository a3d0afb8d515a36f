package dev.gptq.engine;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.pytorch.jni.LibUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * What the engine can do that DJL's interfaces do not offer. No other class touches the engine's own ones, whose methods may
 * change with any version of DJL.
 */
final class PyTorchCalls {
    private PyTorchCalls() {}

    /** Whether this thread records operations for gradients. */
    static boolean isRecording() {
        return JniUtils.isGradMode();
    }

    static void setRecording(boolean mode) {
        JniUtils.setGradMode(mode);
    }

    /** Adds the gradients of sum(output * outputGradient) to every leaf. */
    static void backward(NDArray output, NDArray outputGradient, boolean keepGraph) {
        JniUtils.backward((PtNDArray) output, (PtNDArray) outputGradient, keepGraph, false);
    }

    /** What a leaf has collected, as an array that shares memory with it; null for nothing. */
    static NDArray gradient(NDArray leaf) {
        return JniUtils.getGradient((PtNDArray) leaf);
    }

    /** The value without its history. */
    static NDArray detach(NDArray array) {
        return JniUtils.detachGradient((PtNDArray) array);
    }

    /**
     * Sets PyTorch's intra-op threads to one, for the JVM and for this thread. Asking for the number first makes the
     * native library apply its setting to a thread it has not seen yet.
     */
    static void useOneThread() {
        if (JniUtils.getNumThreads() != 1) {
            JniUtils.setNumThreads(1);
        }
    }

    /** Loads a TorchScript module from its archive, for the life of the JVM. */
    static Block load(byte[] archive) {
        PtNDManager manager = (PtNDManager) NDManager.newBaseManager(Device.cpu(), EngineHolder.ENGINE_NAME);
        try {
            return JniUtils.loadModule(manager, new ByteArrayInputStream(archive), false, false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Calls a loaded module's method forward; its results belong to the first argument's manager. */
    static NDList forward(Block module, NDList arguments) {
        // A setting of the thread; without it the first calls are spent on specialising the code to their arguments.
        JniUtils.setGraphExecutorOptimize(false);
        return IValueUtils.forward((PtSymbolBlock) module, arguments, true);
    }

    /** The folder of PyTorch's native libraries. */
    static Path libraries() {
        return Path.of(LibUtils.getLibtorchPath());
    }
}
