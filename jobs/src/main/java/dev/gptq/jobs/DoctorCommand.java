package dev.gptq.jobs;

import dev.gptq.ErrorCode;
import dev.gptq.config.RunConfig;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Looks at everything a run needs and says what is wrong; ends with the status of the first thing that is. */
@Command(
        name = "doctor",
        description = "Checks Java, Spark, native libraries, GPUs, cluster and run directory.",
        mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--path",
            paramLabel = "DIRECTORY",
            description = "Where a run directory would be; default: the working directory.")
    private String path = ".";

    @Option(names = "--device", paramLabel = "DEVICE", description = "auto (default), cpu or gpu.")
    private String device = RunConfig.DEVICES.get(0);

    @Override
    public Integer call() {
        if (!RunConfig.DEVICES.contains(device)) {
            throw new ParameterException(
                    spec.commandLine(), "--device is one of " + String.join(", ", RunConfig.DEVICES));
        }
        ErrorCode wrong = new Doctor(spec.commandLine().getOut(), path, device).examine();
        return wrong == null ? 0 : wrong.exitStatus();
    }
}
