package dev.gptq.spark.exchange;

import dev.gptq.GptqException;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkConf;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.buffer.NioManagedBuffer;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.netty.SparkTransportConf;
import org.apache.spark.network.server.NoOpRpcHandler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import scala.Option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Spark's authentication, encryption and TLS on the exchange's connections. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ExchangeTransportTest {
    private static final String HOST = "127.0.0.1";
    private static final String PASSWORD = "changeit";
    private static final int ELEMENTS = 3000;

    @TempDir
    private static Path folder;

    @ParameterizedTest(name = "spark.network.crypto.enabled = {0}")
    @ValueSource(strings = {"false", "true"})
    void peersThatKnowTheSecretExchange(String encryption) throws Exception {
        SparkConf conf = authenticating("a secret").set("spark.network.crypto.enabled", encryption);

        assertExchanges(conf);
    }

    @Test
    void thePortIsTheOneConfiguredOrTheNextFreeOne() throws Exception {
        int port = freePort();
        SparkConf conf = conf().set("spark.gptq.port", String.valueOf(port));
        try (ExchangeTransport first = transport(conf);
                ExchangeTransport second = transport(conf)) {
            assertThat(first.port()).isEqualTo(port);
            assertThat(second.port()).isBetween(port + 1, port + 16);
            SparkConf withoutRetries = conf.clone().set("spark.port.maxRetries", "0");
            assertThatThrownBy(() -> transport(withoutRetries))
                    .isInstanceOf(GptqException.class)
                    .hasMessage(
                            "Cannot listen for gradients at 127.0.0.1: ports %d to %d are taken. "
                                    + "Set spark.gptq.port or spark.port.maxRetries.",
                            port, port);
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Test
    void aPeerWithAnotherSecretIsRefused() throws Exception {
        try (ExchangeTransport server = transport(authenticating("a secret"));
                ExchangeTransport client = transport(authenticating("another secret"))) {
            assertThatThrownBy(() -> client.connect(HOST, server.port())).isInstanceOf(RuntimeException.class);
        }
    }

    @Test
    void aPeerWithoutASecretIsRefusedAndItsMessagesGoNowhere() throws Exception {
        StageKey stage = new StageKey(1, 0);
        try (ExchangeTransport server = transport(authenticating("a secret"))) {
            Participant participant = participant(stage, 0);
            participant.listen(server);

            Future<ByteBuffer> answer = send(server, Message.failure(stage, 1, 1, "DIVERGED\nGive up."));

            assertThat(answer)
                    .failsWithin(Duration.ofSeconds(20))
                    .withThrowableThat()
                    .withMessageContaining("Unauthenticated");
        }
    }

    @Test
    void withoutAuthenticationTheSameMessageArrives() throws Exception {
        StageKey stage = new StageKey(1, 0);
        try (ExchangeTransport server = transport(conf())) {
            Participant participant = participant(stage, 0);
            participant.listen(server);

            assertThat(send(server, Message.failure(stage, 1, 1, "DIVERGED\nGive up.")))
                    .succeedsWithin(Duration.ofSeconds(20));
            assertThatThrownBy(() -> participant.run(() -> false)).hasMessage("Give up.");
        }
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"sender 7", "slice -1", "slice 1000", "step 99", "run 5", "long", "short"})
    void whatIsNotExpectedIsRefused(String what) throws Exception {
        StageKey stage = new StageKey(1, 0);
        int value = what.contains(" ") ? Integer.parseInt(what.split(" ")[1]) : 0;
        int sender = what.startsWith("sender") ? value : 1;
        int slice = what.startsWith("slice") ? value : 0;
        int step = what.startsWith("step") ? value : 0;
        int run = what.startsWith("run") ? value : 0;
        int floats = what.equals("long") ? 11 : what.equals("short") ? 9 : 10;
        try (ExchangeTransport server = transport(conf())) {
            participant(stage, 0).listen(server);

            assertThat(send(server, Message.part(stage, step, sender, slice, run, new double[] {0.5}), floats))
                    .failsWithin(Duration.ofSeconds(20));
            assertThat(send(server, Message.part(stage, 0, 1, 1, 0, new double[] {0.5}), 10))
                    .succeedsWithin(Duration.ofSeconds(20));
        }
    }

    @Test
    void sparksTlsSettingsHold() throws Exception {
        Path store = folder.resolve("keys.p12");
        keytool(
                "-genkeypair",
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-alias",
                "rpc",
                "-dname",
                "CN=" + HOST,
                store);
        SparkConf tls = conf();
        Map.of(
                        "enabled",
                        "true",
                        "protocol",
                        "TLSv1.3",
                        "keyStore",
                        store.toString(),
                        "keyStorePassword",
                        PASSWORD,
                        "keyPassword",
                        PASSWORD,
                        "trustStore",
                        store.toString(),
                        "trustStorePassword",
                        PASSWORD)
                .forEach((name, value) -> tls.set("spark.ssl.rpc." + name, value));

        assertExchanges(tls);
        try (ExchangeTransport server = transport(tls)) {
            assertThat(send(server, Message.failure(new StageKey(1, 0), 1, 1, "DIVERGED\n")))
                    .failsWithin(Duration.ofSeconds(20));
        }
    }

    private static void keytool(Object... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        for (int i = 0; i < arguments.length - 1; i++) {
            command.add(arguments[i].toString());
        }
        command.addAll(List.of("-keystore", arguments[arguments.length - 1].toString()));
        command.addAll(List.of("-storetype", "PKCS12", "-storepass", PASSWORD, "-keypass", PASSWORD));
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor()).isZero();
    }

    private static void assertExchanges(SparkConf conf) throws Exception {
        StageKey stage = new StageKey(1, 0);
        SyntheticWork first = new SyntheticWork(ELEMENTS, 10, 4, 100);
        SyntheticWork second = new SyntheticWork(ELEMENTS, 10, 4, 100);
        try (ExchangeTransport one = transport(conf);
                ExchangeTransport two = transport(conf)) {
            List<Endpoint> endpoints =
                    List.of(new Endpoint("0", HOST, one.port(), 0), new Endpoint("1", HOST, two.port(), 0));
            Participant left = participant(stage, 0, first);
            Participant right = participant(stage, 1, second);
            left.listen(one);
            right.listen(two);
            CompletableFuture<Void> other = CompletableFuture.runAsync(() -> join(right, endpoints));
            join(left, endpoints);
            other.get();
        }
        assertThat(first.finished).hasSize(3).isEqualTo(second.finished);
        assertThat(first.last).isEqualTo(second.last);
    }

    private static void join(Participant participant, List<Endpoint> endpoints) {
        try {
            participant.connect(endpoints);
            participant.run(() -> false);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Participant participant(StageKey stage, int self) {
        return participant(stage, self, new SyntheticWork(ELEMENTS, 10, 4, 100));
    }

    private static Participant participant(StageKey stage, int self, SyntheticWork work) {
        return new Participant(
                stage, new Members(List.of(1, 1), self), work, 0, 3, List.of(0, 0), Duration.ofSeconds(30), 0);
    }

    /** By Spark's client as it is, without any secret. */
    private static Future<ByteBuffer> send(ExchangeTransport server, Message message) throws Exception {
        return send(server, message, 0);
    }

    private static Future<ByteBuffer> send(ExchangeTransport server, Message message, int floats) throws Exception {
        CompletableFuture<ByteBuffer> answer = new CompletableFuture<>();
        TransportContext context = new TransportContext(
                SparkTransportConf.fromSparkConf(conf(), "gptq", 1, Option.empty(), Option.empty()),
                new NoOpRpcHandler());
        TransportClientFactory clients = context.createClientFactory();
        answer.whenComplete((bytes, failure) -> {
            clients.close();
            context.close();
        });
        TransportClient client = clients.createClient(HOST, server.port());
        client.uploadStream(
                new NioManagedBuffer(message.encode()),
                new NioManagedBuffer(ByteBuffer.allocate(floats * Float.BYTES)),
                new RpcResponseCallback() {
                    @Override
                    public void onSuccess(ByteBuffer response) {
                        answer.complete(response);
                    }

                    @Override
                    public void onFailure(Throwable e) {
                        answer.completeExceptionally(e);
                    }
                });
        return answer;
    }

    private static SparkConf authenticating(String secret) {
        return conf().set("spark.authenticate", "true").set("spark.authenticate.secret", secret);
    }

    private static SparkConf conf() {
        return new SparkConf(false).set("spark.app.id", "application");
    }

    private static ExchangeTransport transport(SparkConf conf) {
        SecurityManager security =
                new SecurityManager(conf, Option.empty(), SecurityManager.$lessinit$greater$default$3());
        return new ExchangeTransport(conf, security, HOST, HOST);
    }
}
