package dev.gptq.spark.train;

import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.spark.rpc.RpcCallContext;
import org.apache.spark.rpc.RpcEndpointRef;
import org.apache.spark.rpc.RpcEnv;
import org.apache.spark.rpc.ThreadSafeRpcEndpoint;
import scala.Function1;
import scala.PartialFunction;
import scala.runtime.AbstractPartialFunction;
import scala.runtime.BoxedUnit;

/** The driver's ear for steps: reports come in by Spark's own messages and wait here until they are taken and answered. */
final class StepReports implements ThreadSafeRpcEndpoint, AutoCloseable {
    /** Asks whether a checkpoint may be written. */
    static final Object[] MAY_COMMIT = {};

    private final RpcEnv env;
    private final String name = "gptq-steps-" + UUID.randomUUID();
    private final BlockingQueue<Pending> waiting = new LinkedBlockingQueue<>();
    private final RpcEndpointRef self;

    StepReports(RpcEnv env) {
        this.env = env;
        this.self = env.setupEndpoint(name, this);
    }

    /** A report that its sender waits for to be answered; null for {@link #MAY_COMMIT}. */
    record Pending(StepReport report, RpcCallContext sender) {
        void answer() {
            sender.reply(Boolean.TRUE);
        }
    }

    /** What executors find the endpoint by. */
    String name() {
        return name;
    }

    /** The next report; null when none comes in time. */
    Pending poll(long millis) throws InterruptedException {
        return waiting.poll(millis, TimeUnit.MILLISECONDS);
    }

    @Override
    public RpcEnv rpcEnv() {
        return env;
    }

    @Override
    public PartialFunction<Object, BoxedUnit> receiveAndReply(RpcCallContext context) {
        return new AbstractPartialFunction<>() {
            @Override
            public boolean isDefinedAt(Object message) {
                return message instanceof Object[];
            }

            @Override
            public <A, B> B applyOrElse(A message, Function1<A, B> otherwise) {
                if (!isDefinedAt(message)) {
                    return otherwise.apply(message);
                }
                Object[] parts = (Object[]) message;
                waiting.add(new Pending(parts.length == 0 ? null : StepReport.decode(parts), context));
                @SuppressWarnings("unchecked")
                B nothing = (B) BoxedUnit.UNIT;
                return nothing;
            }
        };
    }

    @Override
    public void close() {
        env.stop(self);
    }
}
