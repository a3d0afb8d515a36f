package dev.gptq.jobs.tracking;

import dev.gptq.GptqException;
import dev.gptq.config.RunConfig;
import dev.gptq.config.TrackingConfig;
import dev.gptq.spark.run.ProgressListener;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tensorflow.proto.Event;
import org.tensorflow.proto.HistogramProto;
import org.tensorflow.proto.Summary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

class TensorBoardTrackerTest {
    @TempDir
    private Path folder;

    @Test
    void whatARunSaysIsReadBackFromItsEventFile() throws Exception {
        track(folder);

        List<Event> events = events();

        assertThat(events.get(0).getFileVersion()).isEqualTo("brain.Event:2");
        assertThat(values(events, "loss/total")).containsExactly(1.5f, 0.75f, 0.5f);
        assertThat(values(events, "loss/distillation")).containsExactly(1f, 0.5f, 1 / 3f);
        assertThat(values(events, "loss/regularization")).containsExactly(0.5f, 0.25f, 0.5f / 3);
        assertThat(values(events, "layer_loss/conv:1")).containsExactly(0.25f, 0.125f, 0.25f / 3);
        // The defaults of Model Compression Toolkit.
        assertThat(values(events, "learning_rate/rounding")).containsExactly(3e-2f, 3e-2f, 3e-2f);
        assertThat(values(events, "learning_rate/bias")).hasSize(3);
        assertThat(events.stream().skip(1).limit(6).map(Event::getStep)).containsExactly(0L, 0L, 1L, 1L, 2L, 2L);
        assertThat(values(events, "top1/gptq")).containsExactly(0.8f);
        assertThat(values(events, "sqnr_db_ptq/conv:1")).containsExactly(10f);
        // What is not a number is left out.
        assertThat(values(events, "sqnr_db_gptq/conv:1")).isEmpty();
    }

    @Test
    void roundingIsAHistogramOfEveryLayerAtACheckpoint() throws Exception {
        track(folder);

        Event event = events().stream()
                .filter(candidate ->
                        candidate.getSummary().getValueList().stream().anyMatch(Summary.Value::hasHisto))
                .findFirst()
                .orElseThrow();
        HistogramProto histogram = event.getSummary().getValue(0).getHisto();

        assertThat(event.getStep()).isEqualTo(3);
        assertThat(event.getSummary().getValue(0).getTag()).isEqualTo("rounding/conv:1");
        assertThat(histogram.getNum()).isEqualTo(4);
        assertThat(histogram.getMin()).isZero();
        assertThat(histogram.getMax()).isEqualTo(1);
        assertThat(histogram.getSum()).isEqualTo(2.25);
        assertThat(histogram.getSumSquares()).isEqualTo(2.0625);
        double counted = 0;
        for (int i = 0; i < histogram.getBucketCount(); i++) {
            counted += histogram.getBucket(i);
            if (i > 0) {
                assertThat(histogram.getBucketLimit(i)).isGreaterThan(histogram.getBucketLimit(i - 1));
            }
        }
        assertThat(counted).isEqualTo(4);
        assertThat(histogram.getBucket(histogram.getBucketCount() - 1)).isEqualTo(2);
        assertThat(histogram.getBucketLimit(histogram.getBucketCount() - 1)).isCloseTo(1, within(1e-12));
    }

    @Test
    void aRunThatIsContinuedAddsAFile() throws Exception {
        track(folder);
        Thread.sleep(1100);
        track(folder);

        try (Stream<Path> files = Files.list(folder.resolve("first"))) {
            assertThat(files.filter(file -> !file.getFileName().toString().startsWith(".")))
                    .hasSize(2);
        }
    }

    @Test
    void aFolderThatCannotBeWrittenEndsTheRunBeforeItBegins() throws Exception {
        Path file = Files.writeString(folder.resolve("taken"), "");

        assertThatThrownBy(() -> track(file))
                .isInstanceOf(GptqException.class)
                .hasMessageContaining("Set tracking.tensorboard.path");
    }

    private static void track(Path path) {
        RunConfig config = Runs.config(new TrackingConfig(path.toString(), null, "gptq"));
        Configuration hadoop = new Configuration();
        try (TrackingProgress progress = TrackingProgress.of(config.tracking(), ProgressListener.NONE, hadoop)) {
            Runs.play(progress, config);
            progress.succeed();
        }
    }

    private List<Event> events() throws Exception {
        try (Stream<Path> files = Files.list(folder.resolve("first"))) {
            Path file = files.filter(name -> name.getFileName().toString().startsWith("events.out.tfevents."))
                    .findFirst()
                    .orElseThrow();
            return read(Files.readAllBytes(file));
        }
    }

    private static List<Float> values(List<Event> events, String tag) {
        return events.stream()
                .flatMap(event -> event.getSummary().getValueList().stream())
                .filter(value -> value.getTag().equals(tag))
                .map(Summary.Value::getSimpleValue)
                .toList();
    }

    /** As TensorFlow describes it: each record is its length, a checksum, the message, a checksum. */
    private static List<Event> read(byte[] file) throws Exception {
        ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        List<Event> events = new ArrayList<>();
        while (buffer.hasRemaining()) {
            byte[] length = new byte[8];
            buffer.get(length);
            assertThat(unmask(buffer.getInt())).isEqualTo(crc(length));
            byte[] message = new byte
                    [Math.toIntExact(ByteBuffer.wrap(length)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong())];
            buffer.get(message);
            assertThat(unmask(buffer.getInt())).isEqualTo(crc(message));
            events.add(Event.parseFrom(message));
        }
        return events;
    }

    /** The inverse of crc -> ((crc >> 15) | (crc << 17)) + 0xa282ead8. */
    private static int unmask(int masked) {
        int rotated = masked - 0xa282ead8;
        return (rotated >>> 17) | (rotated << 15);
    }

    private static int crc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }
}
