package dev.gptq.engine;

/** Settings that DJL reads once, when it loads its native library; made when this class is first used. */
final class EngineHolder {
    static final String ENGINE_NAME;

    static {
        // DJL must neither download a native library nor report its use over the network.
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        ENGINE_NAME = "PyTorch";
    }

    private EngineHolder() {}
}
