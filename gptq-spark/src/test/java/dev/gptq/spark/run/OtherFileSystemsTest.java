package dev.gptq.spark.run;

import dev.gptq.report.RunMetrics;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** A whole run whose model, data and output lie on another file system gives what one on the local disk gives. */
class OtherFileSystemsTest {
    @TempDir
    private static Path folder;

    private static RunElsewhere elsewhere;
    private static byte[] expected;

    @BeforeAll
    static void runLocally() throws IOException {
        elsewhere = RunElsewhere.create(folder);
        expected = elsewhere.expected();
    }

    @Test
    void onHdfs() throws IOException {
        Configuration configuration = new Configuration();
        configuration.set(
                MiniDFSCluster.HDFS_MINIDFS_BASEDIR, folder.resolve("hdfs").toString());
        configuration.set("dfs.namenode.http-address", "127.0.0.1:0");
        try (MiniDFSCluster cluster =
                new MiniDFSCluster.Builder(configuration).numDataNodes(1).build()) {
            FileSystem hdfs = cluster.getFileSystem();
            elsewhere.copyTo(hdfs, "/project");

            RunResult result = elsewhere.run(hdfs.getUri() + "/project");

            try (var in = hdfs.open(new org.apache.hadoop.fs.Path(result.runDirectory(), "quantized.onnx"))) {
                assertThat(in.readAllBytes()).isEqualTo(expected);
            }
        }
    }

    /** With one more row, which cannot be used and changes nothing but the counts. */
    @Test
    void onAnObjectStore() throws IOException {
        Configuration configuration = TestSpark.context().hadoopConfiguration();
        configuration.set("fs." + ObjectStore.SCHEME + ".impl", ObjectStore.class.getName());
        String root = ObjectStore.SCHEME + "://bucket" + folder.resolve("bucket");
        FileSystem store = new org.apache.hadoop.fs.Path(root).getFileSystem(configuration);
        elsewhere.copyTo(store, folder.resolve("bucket").toString());

        TestSpark.session()
                .sql("select 999L id, cast('short' as binary) image, 0 label")
                .write()
                .parquet(root + "/data/day=2");

        RunResult result = elsewhere.run(root);

        assertThat(result.metrics().data())
                .containsEntry("calibration", new RunMetrics.DataRows(TestModel.SAMPLES, 1, "quarantine"));
        assertThat(Files.readString(folder.resolve("bucket/run/quarantine/calibration.jsonl")))
                .contains("\"file\":\"objects://bucket/", "\"id\":\"999\"", "holds 5 bytes instead of 64");
        assertThat(Files.readString(folder.resolve("bucket/run/MANIFEST.json")))
                .contains("quarantine/calibration.jsonl");
        assertThat(result.runDirectory()).startsWith("objects://bucket/");
        assertThat(Files.readAllBytes(folder.resolve("bucket/run/quantized.onnx")))
                .isEqualTo(expected);
    }
}
