package dev.gptq.spark.cluster;

import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import dev.gptq.spark.run.GptqPipeline;
import dev.gptq.spark.run.ProgressListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * One cluster of two workers of two cores and two pretended GPUs, and the undisturbed results, for all tests that ask for it.
 */
final class SharedCluster implements AutoCloseable {
    private final Path folder;
    private final StandaloneCluster cluster;
    private final Map<String, byte[]> undisturbed = new HashMap<>();
    private int applications;

    private SharedCluster() throws IOException, InterruptedException {
        folder = Files.createTempDirectory("gptq-cluster");
        TestModel.writeModel(folder.resolve(ClusterRun.MODEL));
        TestModel.writeWideModel(folder.resolve(ClusterRun.WIDE_MODEL));
        for (int files : new int[] {1, 3, 8}) {
            TestModel.writeSamples(folder.resolve("data-" + files), files);
        }
        cluster = StandaloneCluster.start(Files.createDirectories(folder.resolve("cluster")), 2, 2, 2);
    }

    Path folder() {
        return folder;
    }

    /** Starts an application with so many executors, and these settings besides. */
    ClusterApplication start(int executors, int cores, Map<String, String> settings) throws IOException {
        Map<String, String> all = new TreeMap<>(settings);
        Path faults = Files.createDirectories(faults(++applications));
        all.put("spark.plugins", FaultPlugin.class.getName());
        return new ClusterApplication(
                cluster,
                cluster.startDriver(
                        ClusterDriver.class,
                        executors,
                        cores,
                        all,
                        Map.of(Faults.FOLDER, faults.toString()),
                        folder.toString(),
                        faults.toString()),
                folder);
    }

    /** The folder in which the newest application's faults leave their traces. */
    Path faults() {
        return faults(applications);
    }

    private Path faults(int application) {
        return folder.resolve("faults-" + application);
    }

    /** Starts workers in place of those that are gone. */
    void replaceLostWorkers() throws IOException {
        cluster.replaceLostWorkers();
    }

    /** Asserts that a run has made the model that one JVM makes when nothing happens. */
    void assertSameModel(ClusterRun run) throws IOException {
        if (!undisturbed.containsKey(run.model())) {
            ClusterRun local = new ClusterRun("undisturbed-" + run.model(), "job").onModel(run.model());
            GptqPipeline.run(local.config(folder), TestSpark.session(), ProgressListener.NONE);
            undisturbed.put(run.model(), Files.readAllBytes(quantized(local)));
        }
        assertThat(quantized(run)).hasBinaryContent(undisturbed.get(run.model()));
    }

    private Path quantized(ClusterRun run) {
        return folder.resolve(run.name()).resolve("quantized.onnx");
    }

    @Override
    public void close() throws IOException {
        cluster.close();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** Gives tests the cluster; it lives until all test classes are done. */
    static final class Resolver implements ParameterResolver {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == SharedCluster.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return context.getRoot()
                    .getStore(ExtensionContext.Namespace.GLOBAL)
                    .getOrComputeIfAbsent(SharedCluster.class, type -> open(), SharedCluster.class);
        }

        private static SharedCluster open() {
            try {
                return new SharedCluster();
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
