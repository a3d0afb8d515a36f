package dev.gptq.jobs.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class MeasurementTest {
    private static final List<Measurement> MEASUREMENTS = List.of(
            new Measurement("a.ratio", 1.25, "ratio", Limit.atMost(1.2), "when idle"),
            new Measurement("a.speedup", 1.9, "times", Limit.atLeast(1.8), "two executors"),
            Measurement.of("a.cpu", Double.NaN, "s", "not known here"));

    @TempDir
    private Path folder;

    @Test
    void limitsHoldUpToTheirValueAndNeverForWhatIsNotANumber() {
        assertThat(Limit.atMost(2).holds(2)).isTrue();
        assertThat(Limit.atMost(2).holds(2.01)).isFalse();
        assertThat(Limit.atLeast(2).holds(2)).isTrue();
        assertThat(Limit.atLeast(2).holds(1.99)).isFalse();
        assertThat(Limit.atMost(2).holds(Double.NaN)).isFalse();
        assertThat(Limit.atLeast(2).holds(Double.NaN)).isFalse();
        assertThat(MEASUREMENTS).extracting(Measurement::holds).containsExactly(false, true, true);
    }

    @Test
    void theMedianIsTheMiddleOrTheMeanOfTheTwoInTheMiddle() {
        assertThat(Median.of(DoubleStream.of(9, 1, 2))).isEqualTo(2);
        assertThat(Median.of(DoubleStream.of(9, 1, 2, 4))).isEqualTo(3);
        assertThat(Median.of(DoubleStream.empty())).isNaN();
    }

    @Test
    void theRatioIsTheMedianOverRoundsSoThatBusyRoundsDoNotCount() {
        Interleaved costs = new Interleaved(
                List.of(new Cost(1, 1), new Cost(10, 1), new Cost(2, 1)),
                List.of(new Cost(1.5, 1), new Cost(12, 1), new Cost(2.6, 1)));

        assertThat(costs.cpuRatio()).isEqualTo(1.3);
        assertThat(costs.baselineCpu()).isEqualTo(2);
    }

    @Test
    void baselineAndCandidateTakeTurnsAfterARoundThatDoesNotCount() throws Exception {
        StringBuilder order = new StringBuilder();

        Interleaved costs = Interleaved.measure(0, 2, () -> order.append('b'), () -> order.append('c'));

        assertThat(order.toString()).isEqualTo("bc" + "bc" + "cb");
        assertThat(costs.baseline()).hasSize(2);
        assertThat(costs.candidate()).hasSize(2);
    }

    @Test
    void theFileHoldsAnObjectPerMeasurementAndTheMachine() throws IOException {
        Path file = folder.resolve("bench.json");

        BenchFile.write(file, MEASUREMENTS, Map.of("cores", 2));

        JsonNode json = new ObjectMapper().readTree(file.toFile());
        assertThat(json).hasSize(4);
        assertThat(json.get(0).get("name").asText()).isEqualTo("a.ratio");
        assertThat(json.get(0).get("value").asDouble()).isEqualTo(1.25);
        assertThat(json.get(0).get("unit").asText()).isEqualTo("ratio");
        assertThat(json.get(0).get("limit").asDouble()).isEqualTo(1.2);
        assertThat(json.get(0).get("limit_kind").asText()).isEqualTo("at most");
        assertThat(json.get(0).get("holds").asBoolean()).isFalse();
        assertThat(json.get(1).get("holds").asBoolean()).isTrue();
        assertThat(json.get(2).get("value").isNull()).isTrue();
        assertThat(json.get(2).get("limit").isNull()).isTrue();
        assertThat(json.get(3).get("machine").get("cores").asInt()).isEqualTo(2);
    }

    @Test
    void theTableMarksBrokenLimits() {
        StringWriter text = new StringWriter();

        BenchTable.print(MEASUREMENTS, new PrintWriter(text));

        assertThat(text.toString().lines().filter(line -> line.startsWith("a.")))
                .satisfiesExactly(
                        ratio -> assertThat(ratio)
                                .contains("1.25")
                                .contains("at most 1.2")
                                .endsWith("BROKEN"),
                        speedup -> assertThat(speedup)
                                .contains("1.9")
                                .contains("at least 1.8")
                                .endsWith("holds"),
                        cpu -> assertThat(cpu).endsWith("NaN s"));
    }
}
