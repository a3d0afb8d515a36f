package dev.gptq.jobs;

import dev.gptq.jobs.bench.BenchCommand;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command line. Exit statuses: 0 done, 1 unexpected failure, 2 bad input or usage, 3 reading or writing failed, 4 the
 * model holds something unsupported, 5 training diverged, 6 the cluster failed or a JVM has too little memory, 130
 * interrupted (Ctrl-C), 143 terminated.
 */
@Command(
        name = "gptq",
        description = "Quantizes ONNX models by gradient-based post-training quantization on Apache Spark.",
        exitCodeListHeading = "%nExit statuses:%n",
        exitCodeList = {
            " 0:done, also when there was nothing left to do",
            " 1:an unexpected failure",
            " 2:bad input or usage",
            " 3:reading or writing failed",
            " 4:the model holds something unsupported",
            " 5:training diverged",
            " 6:the cluster failed, or a JVM has too little memory",
            "130:interrupted (Ctrl-C); the same command goes on",
            "143:terminated; the same command goes on"
        },
        footer = {
            "",
            "Options of spark-submit (--master, --conf, --driver-memory, ...) may stand anywhere; the launcher hands them on.",
            "Start with: gptq quickstart, then gptq config --print-defaults > my.yaml"
        },
        subcommands = {
            QuantizeCommand.class,
            QuickstartCommand.class,
            OcrCommand.class,
            ConfigCommand.class,
            BenchCommand.class,
            InspectCommand.class,
            DoctorCommand.class,
            CompletionCommand.class
        },
        versionProvider = GptqCommand.Version.class,
        mixinStandardHelpOptions = true)
public final class GptqCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--debug",
            scope = CommandLine.ScopeType.INHERIT,
            description = "Show the stack trace of a failure and Spark's warnings.")
    private boolean debug;

    /** Runs the command; ends the process with its status when that is not 0. */
    public static void main(String[] arguments) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        int status = run(out, err, arguments);
        if (status != 0) {
            System.exit(status);
        }
    }

    /** Runs the command in this process and returns its exit status. */
    static int run(PrintWriter out, PrintWriter err, String... arguments) {
        GptqCommand command = new GptqCommand();
        CommandLine line = commandLine(command).setOut(out).setErr(err);
        line.setParameterExceptionHandler(GptqCommand::usageError);
        line.setExecutionExceptionHandler(
                (failure, failed, result) -> FailureReport.print(failure, command.debug, err));
        try {
            return line.execute(arguments);
        } catch (OutOfMemoryError e) {
            return FailureReport.print(e, command.debug, err);
        }
    }

    /** The command line with all its commands. */
    static CommandLine commandLine(GptqCommand command) {
        CommandLine line = new CommandLine(command);
        StageCommand.addTo(line);
        return line;
    }

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "no command is given");
    }

    private static int usageError(ParameterException error, String[] arguments) {
        CommandLine failed = error.getCommandLine();
        String names = failed.getCommandSpec().qualifiedName();
        failed.getErr()
                .println("gptq: Cannot run this command: %s. See '%s --help'."
                        .formatted(FailureReport.oneLine(error.getMessage()), names));
        failed.getErr().flush();
        return failed.getCommandSpec().exitCodeOnInvalidInput();
    }

    /** The version that the build wrote into the jar. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = GptqCommand.class.getPackage().getImplementationVersion();
            return new String[] {"gptq " + (version == null ? "(not packaged)" : version)};
        }
    }
}
