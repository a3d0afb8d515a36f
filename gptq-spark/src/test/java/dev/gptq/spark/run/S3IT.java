package dev.gptq.spark.run;

import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** A whole run in a bucket of an S3 server that checks signatures, through Hadoop's s3a. */
@Tag("s3")
class S3IT {
    private static final String ROOT = "s3a://bucket/project";
    private static final int SECONDS = 60;

    @TempDir
    private static Path folder;

    private static Process server;

    @BeforeAll
    static void startServer() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Files.createDirectories(folder.resolve("store/bucket"));
        Files.write(
                folder.resolve("s3.properties"),
                List.of(
                        "s3proxy.endpoint=http://127.0.0.1:" + port,
                        "s3proxy.authorization=aws-v2-or-v4",
                        "s3proxy.identity=name",
                        "s3proxy.credential=secret",
                        "jclouds.provider=filesystem",
                        "jclouds.filesystem.basedir=" + folder.resolve("store")));
        server = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "org.gaul.s3proxy.Main",
                        "--properties",
                        folder.resolve("s3.properties").toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("server.log").toFile())
                .start();
        await(port);
        Configuration hadoop = TestSpark.context().hadoopConfiguration();
        hadoop.set("fs.s3a.endpoint", "http://127.0.0.1:" + port);
        hadoop.set("fs.s3a.endpoint.region", "us-east-1");
        hadoop.set("fs.s3a.path.style.access", "true");
        hadoop.set("fs.s3a.access.key", "name");
        hadoop.set("fs.s3a.secret.key", "secret");
    }

    private static void await(int port) throws Exception {
        for (int i = 0; i < 10 * SECONDS; i++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return;
            } catch (IOException e) {
                assertThat(server.isAlive()).as(() -> "server: " + logged()).isTrue();
                TimeUnit.MILLISECONDS.sleep(100);
            }
        }
        throw new AssertionError("the server did not start: " + logged());
    }

    private static String logged() {
        try {
            return Files.readString(folder.resolve("server.log"));
        } catch (IOException e) {
            return e.getMessage();
        }
    }

    @AfterAll
    static void stopServer() throws InterruptedException {
        server.destroyForcibly().waitFor();
    }

    @Test
    void modelDataAndRunDirectoryLieInABucket() throws IOException {
        RunElsewhere elsewhere = RunElsewhere.create(folder);
        FileSystem s3 = new org.apache.hadoop.fs.Path(ROOT)
                .getFileSystem(TestSpark.context().hadoopConfiguration());
        elsewhere.copyTo(s3, ROOT);

        RunResult result = elsewhere.run(ROOT);

        assertThat(result.runDirectory()).startsWith("s3a://bucket/");
        assertThat(folder.resolve("store/bucket/project/run/MANIFEST.json")).exists();
        try (var in = s3.open(new org.apache.hadoop.fs.Path(result.runDirectory(), "quantized.onnx"))) {
            assertThat(in.readAllBytes()).isEqualTo(elsewhere.expected());
        }
    }
}
