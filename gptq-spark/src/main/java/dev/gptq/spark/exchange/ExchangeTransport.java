package dev.gptq.spark.exchange;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.buffer.ManagedBuffer;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.StreamCallbackWithID;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.crypto.AuthClientBootstrap;
import org.apache.spark.network.crypto.AuthServerBootstrap;
import org.apache.spark.network.netty.SparkTransportConf;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;
import org.apache.spark.network.server.TransportServer;
import org.apache.spark.network.server.TransportServerBootstrap;
import org.apache.spark.network.util.TransportConf;
import org.apache.spark.util.Utils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.Option;

/**
 * This JVM's end of connections to other executors, by Spark's own transport: spark.authenticate, spark.network.crypto and
 * spark.ssl.rpc hold as they do for shuffles, and spark.gptq.io.* as spark.shuffle.io.* for them. Messages reach the
 * {@link Participant} of their stage; those of a stage that is over are read and dropped.
 */
public final class ExchangeTransport implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ExchangeTransport.class);
    private static final String MODULE = "gptq";
    private static final String PORT = "spark.gptq.port";
    private static final String PORT_RETRIES = "spark.port.maxRetries";
    private static final int DEFAULT_RETRIES = 16;

    private final Map<StageKey, Participant> participants = new ConcurrentHashMap<>();
    private final SendBuffers buffers = new SendBuffers();
    private final TransportContext context;
    private final TransportServer server;
    private final TransportClientFactory clients;
    private final String host;

    /**
     * Listens at {@code bindAddress}; others reach it as {@code host}. The port is spark.gptq.port or, where others have
     * taken that, one of the next spark.port.maxRetries; 0, the default, leaves it to the system.
     */
    ExchangeTransport(SparkConf spark, SecurityManager security, String bindAddress, String host) {
        this.host = host;
        TransportConf conf = SparkTransportConf.fromSparkConf(
                spark,
                MODULE,
                spark.getInt("spark.executor.cores", 0),
                Option.empty(),
                Option.apply(security.getRpcSSLOptions()));
        this.context = new TransportContext(conf, new Handler());
        boolean authenticates = security.isAuthenticationEnabled();
        this.clients = context.createClientFactory(
                authenticates ? List.of(new AuthClientBootstrap(conf, spark.getAppId(), security)) : List.of());
        this.server = listen(
                spark, bindAddress, authenticates ? List.of(new AuthServerBootstrap(conf, security)) : List.of());
        LOG.info("Gradients come in at {}:{}.", host, server.getPort());
    }

    private TransportServer listen(SparkConf spark, String bindAddress, List<TransportServerBootstrap> bootstraps) {
        int port = spark.getInt(PORT, 0);
        int retries = port == 0 ? 0 : spark.getInt(PORT_RETRIES, DEFAULT_RETRIES);
        for (int tried = 0; ; tried++) {
            try {
                return context.createServer(bindAddress, port + tried, bootstraps);
            } catch (Exception e) {
                // A checked exception that Netty does not declare.
                if (!Utils.isBindCollision(e)) {
                    throw e;
                }
                if (tried == retries) {
                    clients.close();
                    context.close();
                    throw new GptqException(
                            ErrorCode.CLUSTER,
                            "Cannot listen for gradients at %s: ports %d to %d are taken. Set %s or %s."
                                    .formatted(bindAddress, port, port + tried, PORT, PORT_RETRIES),
                            e);
                }
            }
        }
    }

    /** The transport of the running executor, at the address that its shuffle service has. */
    public static ExchangeTransport ofExecutor() {
        SparkEnv env = SparkEnv.get();
        String host = env.blockManager().blockManagerId().host();
        String bindAddress = env.conf().get("spark.executor.bindAddress", host);
        return new ExchangeTransport(env.conf(), env.securityManager(), bindAddress, host);
    }

    /** Where other executors find this one. */
    public String host() {
        return host;
    }

    /** Where other executors find this one. */
    public int port() {
        return server.getPort();
    }

    void register(StageKey stage, Participant participant) {
        participants.put(stage, participant);
    }

    void unregister(StageKey stage) {
        participants.remove(stage);
    }

    TransportClient connect(String peerHost, int peerPort) throws IOException, InterruptedException {
        return clients.createClient(peerHost, peerPort);
    }

    SendBuffers buffers() {
        return buffers;
    }

    @Override
    public void close() {
        server.close();
        clients.close();
        context.close();
    }

    private final class Handler extends RpcHandler {
        private final StreamManager noStreams = new StreamManager() {
            @Override
            public ManagedBuffer getChunk(long streamId, int chunkIndex) {
                throw new UnsupportedOperationException("Nothing is to be fetched here.");
            }
        };

        @Override
        public StreamCallbackWithID receiveStream(
                TransportClient client, ByteBuffer head, RpcResponseCallback callback) {
            Message message = Message.decode(head);
            Participant participant = participants.get(message.stage());
            return participant == null ? new Dropped() : participant.accept(message);
        }

        @Override
        public void receive(TransportClient client, ByteBuffer message, RpcResponseCallback callback) {
            callback.onFailure(new UnsupportedOperationException("Only streams are accepted here."));
        }

        @Override
        public StreamManager getStreamManager() {
            return noStreams;
        }
    }

    /** Takes what nobody waits for, so that the connection can go on to be used. */
    private static final class Dropped implements StreamCallbackWithID {
        @Override
        public void onData(String streamId, ByteBuffer bytes) {
            bytes.position(bytes.limit());
        }

        @Override
        public void onComplete(String streamId) {}

        @Override
        public void onFailure(String streamId, Throwable cause) {}

        @Override
        public String getID() {
            return "dropped";
        }
    }
}
