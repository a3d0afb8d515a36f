package dev.gptq.jobs.bench;

import dev.gptq.jobs.ProjectHome;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures what the project promises, on models that come with it. */
@Command(
        name = "bench",
        description = "Measures speed and memory on models that come with the project and compares with their limits.",
        mixinStandardHelpOptions = true)
public final class BenchCommand implements Callable<Integer> {
    private static final String ALL = "all";
    /** Takes longer than all others together and needs a data set that the project does not contain. */
    private static final String ACCURACY = "accuracy";

    private static final int BROKEN = 1;

    /** Name -> benchmark, in the order in which all of them run. */
    private static final Map<String, Benchmark> BENCHMARKS = new LinkedHashMap<>();

    static {
        BENCHMARKS.put("hessian", new HessianBenchmark());
        BENCHMARKS.put("step", new StepBenchmark());
        BENCHMARKS.put("exchange", new ExchangeBenchmark());
        BENCHMARKS.put("scaling", new ScalingBenchmark());
        BENCHMARKS.put("memory", new MemoryBenchmark());
        BENCHMARKS.put(ACCURACY, new AccuracyBenchmark());
    }

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "1..*",
            paramLabel = "NAME",
            description = "hessian, step, exchange, scaling, memory, accuracy, or all: all but accuracy.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--json", paramLabel = "FILE", description = "Also write the measurements to this file.")
    private Path json;

    @Option(
            names = "--runs",
            paramLabel = "N",
            defaultValue = "5",
            description = "Rounds that medians are taken over; ${DEFAULT-VALUE} by default.")
    private int runs;

    @Option(names = "--check", description = "End with status 1 when a limit is broken.")
    private boolean check;

    @Override
    public Integer call() throws Exception {
        Set<String> chosen = chosen();
        if (runs < 1) {
            throw new ParameterException(spec.commandLine(), "--runs must be at least 1, not " + runs);
        }
        PrintWriter out = spec.commandLine().getOut();
        BenchContext context = new BenchContext(ProjectHome.find("bench"), runs, line -> {
            out.println(line);
            out.flush();
        });
        Map<String, Object> machine = MachineDescription.read();
        BenchTable.print(machine, out);
        List<Measurement> measurements = new ArrayList<>();
        for (String name : chosen) {
            context.progress().accept("Measuring " + name + " ...");
            List<Measurement> measured = BENCHMARKS.get(name).run(context);
            measurements.addAll(measured);
            // One that takes long, or fails, takes nothing from those before it.
            BenchTable.print(measured, out);
            if (json != null) {
                BenchFile.write(json, measurements, machine);
            }
        }
        return check && !measurements.stream().allMatch(Measurement::holds) ? BROKEN : 0;
    }

    private Set<String> chosen() {
        Set<String> chosen = new LinkedHashSet<>();
        for (String name : names) {
            if (name.equals(ALL)) {
                BENCHMARKS.keySet().stream()
                        .filter(other -> !other.equals(ACCURACY))
                        .forEach(chosen::add);
            } else if (BENCHMARKS.containsKey(name)) {
                chosen.add(name);
            } else {
                throw new ParameterException(
                        spec.commandLine(),
                        "there is no benchmark '" + name + "'; give some of " + BENCHMARKS.keySet() + ", or all");
            }
        }
        return chosen;
    }
}
