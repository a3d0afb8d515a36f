package dev.gptq.jobs;

import dev.gptq.config.QuantizationConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.graph.ValueInfo;
import dev.gptq.mixedprecision.BitAssignment;
import dev.gptq.onnx.OnnxModel;
import dev.gptq.report.ModelSummary;
import dev.gptq.spark.data.ModelFolder;
import dev.gptq.spark.data.RunFiles;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows what a model is and what quantization would make of it; reads no data and starts no Spark. */
@Command(
        name = "inspect",
        description =
                "Shows a model's operators, shapes and layers, and what its quantized file and training would take.",
        mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
    private static final long MEGABYTE = 1 << 20;
    private static final String CHOSEN_BITS = "mixed_precision.json";

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "MODEL.onnx", description = "The float model, a Hadoop path.")
    private String model;

    @Option(
            names = "--config",
            paramLabel = "CONFIG.yaml",
            description = "Take quantization and training from this configuration instead of the defaults.")
    private Path file;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Set path.to.key of the configuration; repeatable.")
    private List<String> overrides = new ArrayList<>();

    @Option(
            names = "--run",
            paramLabel = "DIRECTORY",
            description = "Take the bits that mixed precision chose from this run directory, a Hadoop path.")
    private String run;

    @Override
    public Integer call() {
        if (file == null && !overrides.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "--set needs --config");
        }
        RunConfig config = file == null ? null : ConfigFile.read(file, overrides);
        QuantizationConfig quantization = config == null ? QuantizationConfig.defaults() : config.quantization();
        TrainingConfig training = config == null ? TrainingConfig.defaults() : config.training();
        if (run != null) {
            quantization = chosen(run).apply(quantization);
        }
        OnnxModel file = ModelFolder.readModel(model, new Configuration());
        print(ModelSummary.of(file, model, quantization), training);
        return 0;
    }

    private static BitAssignment chosen(String directory) {
        return BitAssignment.fromJson(
                RunFiles.of(directory, new Configuration()).readText(CHOSEN_BITS));
    }

    private void print(ModelSummary summary, TrainingConfig training) {
        PrintWriter out = spec.commandLine().getOut();
        out.printf(Locale.ROOT, "Model       %s, opset %d, %d bytes%n", model, summary.opset(), summary.fileBytes());
        summary.inputs().forEach(input -> out.println("Input       " + described(input)));
        summary.outputs().forEach(output -> out.println("Output      " + described(output)));
        out.println("Operators   "
                + summary.operators().entrySet().stream()
                        .map(entry -> entry.getKey() + " " + entry.getValue())
                        .collect(Collectors.joining(", ")));
        out.printf(Locale.ROOT, "Parameters  %d%n%n", summary.parameters());
        out.printf(Locale.ROOT, "%-40s %-14s %-20s %s%n", "Quantized layer", "operator", "kernel", "bits");
        for (ModelSummary.Layer layer : summary.layers()) {
            String bits = layer.bits() == 0 ? "float" : String.valueOf(layer.bits());
            String shape = Arrays.stream(layer.shape()).mapToObj(Long::toString).collect(Collectors.joining("x"));
            out.printf(Locale.ROOT, "%-40s %-14s %-20s %s%n", layer.name(), layer.operator(), shape, bits);
        }
        out.printf(Locale.ROOT, "%nQuantized   about %d bytes%n", summary.estimatedBytes());
        int samples = training.batchSize() / training.lanes();
        Long memory = summary.taskBytes(samples);
        if (memory == null) {
            out.println("Memory      unknown: an input's shape is open");
        } else {
            out.printf(
                    Locale.ROOT,
                    "Memory      a training task needs about %d MB outside the heap (%d samples per lane)%n",
                    memory / MEGABYTE + 1,
                    samples);
        }
        out.flush();
    }

    private static String described(ValueInfo value) {
        String shape = value.shape() == null
                ? "of any shape"
                : Arrays.stream(value.shape())
                        .mapToObj(dimension -> dimension < 0 ? "?" : String.valueOf(dimension))
                        .collect(Collectors.joining("x"));
        return value.name() + " " + value.type().name().toLowerCase(Locale.ROOT) + " " + shape;
    }
}
