package dev.gptq.spark.cluster;

import dev.gptq.config.TrainingConfig;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** The whole pipeline on a standalone cluster of two workers: the same quantized model as in one JVM. */
@Tag("cluster")
@DisabledOnOs(OS.WINDOWS)
@ExtendWith(SharedCluster.Resolver.class)
class ClusterIT {
    private static final int STEPS = 18;

    private final SharedCluster cluster;

    ClusterIT(SharedCluster cluster) {
        this.cluster = cluster;
    }

    /** Every way in which gradients meet. */
    static Stream<String> exchanges() {
        return TrainingConfig.EXCHANGES.stream().filter(exchange -> !exchange.equals(TrainingConfig.AUTO));
    }

    @ParameterizedTest(name = "{0} executors of {1} cores, {2} partitions, {3} files: {4}")
    @CsvSource({
        "1, 1, 1, 1, job barrier",
        "2, 1, 7, 3, job barrier",
        "4, 1, 4, 8, barrier",
        "1, 2, 3, 8, job",
        "2, 2, 64, 1, job barrier"
    })
    void theModelHasTheSameBitsOnAnyNumberOfExecutors(
            int executors, int cores, int partitions, int files, String exchanges) throws Exception {
        Map<String, String> settings = Map.of(
                "spark.default.parallelism", String.valueOf(partitions),
                "spark.sql.shuffle.partitions", String.valueOf(partitions));
        try (ClusterApplication application = cluster.start(executors, cores, settings)) {
            for (String exchange : exchanges.split(" ")) {
                String name = "run-%s-%d-%d-%d".formatted(exchange, executors, cores, partitions);
                ClusterRun run = new ClusterRun(name, exchange).onData("data-" + files);

                List<String> events = application.run(run);

                assertThat(events).startsWith("executors " + executors).endsWith("done");
                assertThat(steps(events)).hasSize(STEPS);
                cluster.assertSameModel(run);
            }
        }
    }

    static List<String> steps(List<String> events) {
        return events.stream().filter(line -> line.startsWith("step ")).toList();
    }
}
