package dev.gptq.jobs;

import dev.gptq.GptqException;
import java.nio.file.Path;

/** The project's directory, whose {@code conf} holds models, images and configurations. */
public final class ProjectHome {
    /** System property with the project's directory, set by the launcher. */
    static final String PROPERTY = "gptq.home";

    private static final String VARIABLE = "GPTQ_HOME";

    private ProjectHome() {}

    /**
     * The absolute path.
     *
     * @throws GptqException BAD_INPUT when {@code command} was started without the launcher
     */
    public static Path find(String command) {
        String home = System.getProperty(PROPERTY, System.getenv(VARIABLE));
        if (home == null) {
            throw GptqException.badInput(
                    "Cannot find the files of gptq %s: neither system property %s nor environment variable %s is set. Start"
                            + " it with jobs/bin/gptq %s.",
                    command, PROPERTY, VARIABLE, command);
        }
        return Path.of(home).toAbsolutePath().normalize();
    }
}
