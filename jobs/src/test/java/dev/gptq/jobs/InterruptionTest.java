package dev.gptq.jobs;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class InterruptionTest {
    private static final String READY = "ready";
    private static final int TERMINATED = 143;

    /** A run whose libraries print what fails while they shut down, as Spark's do now and then. */
    static final class FailsWhileItEnds {
        private FailsWhileItEnds() {}

        public static void main(String[] arguments) throws InterruptedException {
            Interruption.watch();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                try {
                    TimeUnit.MILLISECONDS.sleep(500);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                new RejectedExecutionException("too late").printStackTrace();
            }));
            System.out.println(READY);
            new CountDownLatch(1).await();
        }
    }

    @Test
    void theLastWordsAreTheOnlyOnes() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        FailsWhileItEnds.class.getName())
                .start();
        assertThat(process.inputReader(StandardCharsets.UTF_8).readLine()).isEqualTo(READY);

        process.toHandle().destroy();

        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).isEqualTo(TERMINATED);
        assertThat(process.errorReader(StandardCharsets.UTF_8).lines())
                .containsExactly("gptq: " + Interruption.MESSAGE);
    }
}
