package dev.gptq.spark.train;

import dev.gptq.spark.exchange.ExchangeException;
import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.StudentParameters;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskKilledException;
import org.apache.spark.rpc.RpcEndpointRef;
import org.apache.spark.rpc.RpcTimeout;
import org.apache.spark.util.RpcUtils;
import scala.concurrent.Await;
import scala.concurrent.Future;
import scala.concurrent.duration.Duration;
import scala.concurrent.duration.FiniteDuration;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * Tells the driver of steps through Spark's own messages. It is one step ahead of the driver at most, so a driver that takes
 * its time slows training down instead of being flooded.
 */
final class StepReporter {
    private static final ClassTag<Boolean> ANSWER = ClassTag$.MODULE$.apply(Boolean.class);
    /** A driver that is gone takes its executors with it: there is no need to hurry one that thinks. */
    private static final RpcTimeout PATIENT = new RpcTimeout(new FiniteDuration(1, TimeUnit.DAYS), "");

    private static final Duration PAUSE = Duration.create(100, TimeUnit.MILLISECONDS);

    private final RpcEndpointRef driver;
    private final boolean withParameters;
    private final int withheld;
    private final BooleanSupplier killed;
    private StudentParameters parameters;
    private Future<Boolean> unanswered;
    private double[] layers = new double[0];

    /**
     * @param withParameters whether reports hold the student's parameters
     * @param withheld a step that is not reported without them, because the segment's result will hold it
     */
    StepReporter(String endpoint, boolean withParameters, int withheld, BooleanSupplier killed) {
        SparkEnv env = SparkEnv.get();
        this.driver = RpcUtils.makeDriverRef(endpoint, env.conf(), env.rpcEnv());
        this.withParameters = withParameters;
        this.withheld = withheld;
        this.killed = killed;
    }

    /** Keeps what the next report's step starts from. */
    void begin(StudentParameters current) {
        if (withParameters) {
            parameters = new StudentParameters(current.step(), current.values().clone(), current.quantizedFraction());
        }
    }

    void report(StepResult result, double[] ofLayers) {
        layers = ofLayers;
        if (!withParameters && result.step() == withheld) {
            return;
        }
        ask(new StepReport(result, ofLayers, parameters).encode());
    }

    /** The layers' parts of the last step's loss. */
    double[] layers() {
        return layers;
    }

    /** Returns when the driver has heard of all that was reported, and allows the segment's checkpoint to be written. */
    void awaitCommit() {
        ask(StepReports.MAY_COMMIT);
        awaitAnswer();
    }

    private void ask(Object[] message) {
        awaitAnswer();
        unanswered = driver.ask(message, PATIENT, ANSWER);
    }

    private void awaitAnswer() {
        while (unanswered != null) {
            try {
                Await.result(unanswered, PAUSE);
                unanswered = null;
            } catch (TimeoutException e) {
                if (killed.getAsBoolean()) {
                    throw new TaskKilledException("while it reported a step");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ExchangeException("Cannot report a step: the task was interrupted.", e);
            }
        }
    }
}
