package dev.gptq.jobs.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.config.RunConfig;
import dev.gptq.config.TrackingConfig;
import dev.gptq.spark.run.ProgressListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.StreamSupport;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Against a server of this process that answers as MLflow's REST API does and keeps what it is sent. */
class MlflowTrackerTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<Call> calls = new CopyOnWriteArrayList<>();
    private HttpServer server;
    private volatile boolean knowsExperiment;
    private volatile int failBatchesFrom = Integer.MAX_VALUE;

    private record Call(String path, JsonNode body) {}

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void aRunIsCreatedFilledAndFinished() {
        track(true, ProgressListener.NONE);

        assertThat(paths())
                .containsSubsequence(
                        "experiments/get-by-name",
                        "experiments/create",
                        "runs/create",
                        "runs/log-batch",
                        "runs/update");
        assertThat(body("experiments/create").get("name").asText()).isEqualTo("w4");
        assertThat(body("runs/create").get("experiment_id").asText()).isEqualTo("7");
        assertThat(body("runs/update").get("status").asText()).isEqualTo("FINISHED");
        assertThat(values("loss/total")).containsExactly(1.5, 0.75, 0.5);
        assertThat(values("learning_rate/rounding")).containsExactly(3e-2, 3e-2, 3e-2);
        assertThat(values("top1/gptq")).containsExactly(0.8);
        // A name that the server would refuse.
        assertThat(values("layer_loss/conv_1")).containsExactly(0.25, 0.125, 0.25 / 3);
        assertThat(values("rounding_mean/conv_1")).containsExactly(0.5625);
        assertThat(parameters())
                .contains("weights.bits=8", "seed=0")
                .anyMatch(value -> value.startsWith("model=s3a://"));
        assertThat(calls.toString()).as("the password of the model's address").doesNotContain("hunter2");
    }

    /** The server refuses names that are no normal relative paths; exporters begin names of nodes with a slash. */
    @Test
    void namesOfNodesBecomeNormalPaths() {
        assertThat(MlflowTracker.key("layer_loss//conv1/Conv")).isEqualTo("layer_loss/conv1/Conv");
        for (String layer : List.of("/a/b", "a//b/", "../a", "a/./b", "a:b")) {
            Path key = Path.of(MlflowTracker.key("layer_loss/" + layer));
            assertThat(key.normalize().toString()).isEqualTo(MlflowTracker.key("layer_loss/" + layer));
            assertThat(key.startsWith("layer_loss")).isTrue();
        }
    }

    @Test
    void anExperimentThatIsThereIsUsed() {
        knowsExperiment = true;

        track(true, ProgressListener.NONE);

        assertThat(paths()).doesNotContain("experiments/create");
        assertThat(body("runs/create").get("experiment_id").asText()).isEqualTo("7");
    }

    @Test
    void aRunThatFailsIsMarkedSo() {
        track(false, ProgressListener.NONE);

        assertThat(body("runs/update").get("status").asText()).isEqualTo("FAILED");
    }

    @Test
    void aServerThatGoesAwayLeavesAWarningAndTheRunGoesOn() {
        failBatchesFrom = 1;
        List<String> warnings = new ArrayList<>();

        track(true, new Warnings(warnings));

        assertThat(warnings).singleElement().asString().startsWith("MLflow is left out from here on: ");
    }

    @Test
    void aServerThatIsNotThereEndsTheRunBeforeItBegins() {
        server.stop(0);

        assertThatThrownBy(() -> track(true, ProgressListener.NONE))
                .isInstanceOfSatisfying(
                        GptqException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.IO))
                .hasMessageContaining("Check tracking.mlflow.uri");
    }

    private void track(boolean succeeds, ProgressListener next) {
        String uri = "http://localhost:" + server.getAddress().getPort();
        RunConfig config = Runs.config(new TrackingConfig(null, uri, "w4"));
        try (TrackingProgress progress = TrackingProgress.of(config.tracking(), next, new Configuration())) {
            Runs.play(progress, config);
            if (succeeds) {
                progress.succeed();
            }
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath().replaceFirst("^/api/2.0/(preview/)?mlflow/", "");
        byte[] sent = exchange.getRequestBody().readAllBytes();
        calls.add(new Call(path, sent.length == 0 ? JSON.createObjectNode() : JSON.readTree(sent)));
        long batches = calls.stream()
                .filter(call -> call.path().equals("runs/log-batch"))
                .count();
        int status = 200;
        String reply =
                switch (path) {
                    case "experiments/create" -> "{\"experiment_id\":\"7\"}";
                    case "runs/create" -> "{\"run\":{\"info\":{\"run_id\":\"r1\",\"run_uuid\":\"r1\"}}}";
                    case "runs/update" -> "{\"run_info\":{\"run_id\":\"r1\"}}";
                    case "experiments/get-by-name" -> "{\"experiment\":{\"experiment_id\":\"7\",\"name\":\"w4\"}}";
                    default -> "{}";
                };
        if (path.equals("experiments/get-by-name") && !knowsExperiment) {
            status = 404;
            reply = "{\"error_code\":\"RESOURCE_DOES_NOT_EXIST\",\"message\":\"no such experiment\"}";
        } else if (path.equals("runs/log-batch") && batches > failBatchesFrom) {
            status = 400;
            reply = "{\"error_code\":\"BAD_REQUEST\",\"message\":\"no\"}";
        }
        byte[] bytes = reply.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private List<String> paths() {
        return calls.stream().map(Call::path).toList();
    }

    private JsonNode body(String path) {
        return calls.stream()
                .filter(call -> call.path().equals(path))
                .findFirst()
                .orElseThrow()
                .body();
    }

    private List<Double> values(String name) {
        return calls.stream()
                .filter(call -> call.path().equals("runs/log-batch"))
                .flatMap(
                        call -> StreamSupport.stream(call.body().path("metrics").spliterator(), false))
                .filter(metric -> metric.get("key").asText().equals(name))
                .map(metric -> metric.get("value").asDouble())
                .toList();
    }

    private List<String> parameters() {
        return calls.stream()
                .flatMap(call -> StreamSupport.stream(call.body().path("params").spliterator(), false))
                .map(param ->
                        param.get("key").asText() + "=" + param.get("value").asText())
                .toList();
    }

    /** Keeps warnings. */
    private record Warnings(List<String> lines) implements ProgressListener {
        @Override
        public void stageStarted(String stage, long totalUnits) {}

        @Override
        public void advanced(String stage, long doneUnits, String detail) {}

        @Override
        public void stageFinished(String stage, double seconds, String summary) {}

        @Override
        public void warning(String line) {
            lines.add(line);
        }
    }
}
