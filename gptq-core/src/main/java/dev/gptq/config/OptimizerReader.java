package dev.gptq.config;

import dev.gptq.config.OptimizerConfig.Type;
import java.util.Locale;

/** The optimizer sections of a configuration. */
final class OptimizerReader {
    private static final int UNSET_STEP_SIZE = 0;
    private static final double DEFAULT_GAMMA = 0.1;

    private OptimizerReader() {}

    /**
     * Reads a section whose keys default to {@code template}, or to torch's defaults where it names another type.
     *
     * @throws dev.gptq.GptqException BAD_INPUT also for hyper-parameters that the type does not have
     */
    static OptimizerConfig read(Settings settings, OptimizerConfig template) {
        Type type = settings.constant("type", Type.class, template.type());
        OptimizerConfig base = type == template.type()
                ? template
                : OptimizerConfig.builder(type).build();
        allowOnly(settings, "betas", type, type.isAdamFamily(), "Adam, AdamW and RAdam");
        allowOnly(settings, "epsilon", type, type != Type.SGD, "Adam, AdamW, RAdam and RMSprop");
        allowOnly(settings, "momentum", type, type == Type.SGD || type == Type.RMSPROP, "SGD and RMSprop");
        allowOnly(settings, "nesterov", type, type == Type.SGD, "SGD");
        allowOnly(settings, "alpha", type, type == Type.RMSPROP, "RMSprop");
        double[] betas = settings.numbers("betas", new double[] {base.beta1(), base.beta2()});
        if (betas.length != 2) {
            throw settings.refusal(
                    "betas", "it has " + betas.length + " values", "Write two, for example [0.9, 0.999]");
        }
        LearningRateSchedule schedule =
                settings.has("schedule") ? schedule(settings.section("schedule")) : base.schedule();
        return settings.build(() -> new OptimizerConfig(
                type,
                settings.number("learning_rate", base.learningRate()),
                betas[0],
                type == Type.RMSPROP ? settings.number("alpha", base.beta2()) : betas[1],
                settings.number("epsilon", base.epsilon()),
                settings.number("weight_decay", base.weightDecay()),
                settings.number("momentum", base.momentum()),
                settings.flag("nesterov", base.nesterov()),
                schedule));
    }

    private static LearningRateSchedule schedule(Settings settings) {
        LearningRateSchedule.Type type =
                settings.constant("type", LearningRateSchedule.Type.class, LearningRateSchedule.Type.CONSTANT);
        boolean cosine = type == LearningRateSchedule.Type.COSINE;
        boolean step = type == LearningRateSchedule.Type.STEP;
        allowOnly(settings, "minimum_factor", type, cosine, "cosine");
        allowOnly(settings, "step_size", type, step, "step");
        allowOnly(settings, "gamma", type, step, "step");
        return settings.build(() -> {
            if (cosine) {
                return LearningRateSchedule.cosine(settings.number("minimum_factor", 0));
            }
            if (step) {
                return LearningRateSchedule.step(
                        settings.whole("step_size", UNSET_STEP_SIZE), settings.number("gamma", DEFAULT_GAMMA));
            }
            return LearningRateSchedule.CONSTANT;
        });
    }

    private static void allowOnly(Settings settings, String key, Enum<?> type, boolean fits, String owners) {
        if (settings.has(key) && !fits) {
            String name = type instanceof Type optimizer
                    ? optimizer.torchName()
                    : type.name().toLowerCase(Locale.ROOT);
            throw settings.refusal(key, "type " + name + " does not have it", "Remove it; it belongs to " + owners);
        }
    }
}
