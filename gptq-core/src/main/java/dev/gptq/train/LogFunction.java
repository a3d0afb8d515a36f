package dev.gptq.train;

/**
 * MCT's log_function: called on the driver after every step. Implementations named in a configuration have a public
 * constructor without arguments.
 */
public interface LogFunction {
    /**
     * @param result the step's losses
     * @param parameters what the step's student ran with, laid out by {@link ParameterLayout}; not to be changed
     */
    void onStep(RoundingTrainer.StepResult result, StudentParameters parameters);

    /** A new instance of the named class. */
    static LogFunction of(String className) {
        return UserClasses.instantiate(className, LogFunction.class, "log_function");
    }
}
