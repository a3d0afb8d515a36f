package dev.gptq.config;

import java.util.regex.Pattern;

/** Names of losses and log functions: built-in ones and classes of users. */
final class LossName {
    private static final Pattern CLASS_NAME =
            Pattern.compile("([\\p{L}_$][\\p{L}\\p{N}_$]*\\.)+[\\p{L}_$][\\p{L}\\p{N}_$]*");

    private LossName() {}

    static void checkLoss(String loss) {
        Check.text(loss, "loss", "Use one of " + String.join(", ", GradientPTQConfig.LOSSES));
        Check.that(
                isBuiltIn(loss) || isClassName(loss),
                "loss",
                loss,
                "it is neither a built-in loss nor a full class name"
                        + NearestName.hint(loss, GradientPTQConfig.LOSSES),
                "Use one of " + String.join(", ", GradientPTQConfig.LOSSES)
                        + ", or a class such as com.example.MyLoss");
    }

    static void checkClassName(String key, String name) {
        Check.that(
                isClassName(name),
                key,
                name,
                "it is not the full name of a class",
                "Use a name such as com.example.MyLog, or null");
    }

    static boolean isBuiltIn(String loss) {
        return GradientPTQConfig.LOSSES.contains(loss);
    }

    private static boolean isClassName(String name) {
        return CLASS_NAME.matcher(name).matches();
    }
}
