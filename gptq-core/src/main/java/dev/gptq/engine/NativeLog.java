package dev.gptq.engine;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.file.Path;

/**
 * The log of PyTorch's native code. On processors that NNPACK does not know it would write the same warning at every
 * pointwise convolution, to the standard error of each executor; its level is a variable that only native code can set.
 */
final class NativeLog {
    private static final String LEVEL = "FLAGS_caffe2_log_level";
    private static final int ERRORS = 2;

    private NativeLog() {}

    /**
     * Leaves out warnings; the engine has to have loaded its libraries. Does the work once.
     *
     * @return whether it could: a build of PyTorch without that variable stays talkative
     */
    static boolean hasOnlyErrors() {
        return Setting.DONE;
    }

    private static final class Setting {
        static final boolean DONE = set();

        private static boolean set() {
            try {
                level().setInt(0, ERRORS);
                return true;
            } catch (LinkageError e) {
                return false;
            }
        }
    }

    /** Where the level is: 0 information, 1 warnings, 2 errors. */
    static Pointer level() {
        Path library = PyTorchCalls.libraries().resolve(System.mapLibraryName("c10"));
        return NativeLibrary.getInstance(library.toString()).getGlobalVariableAddress(LEVEL);
    }
}
