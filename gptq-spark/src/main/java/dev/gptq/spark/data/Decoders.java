package dev.gptq.spark.data;

import dev.gptq.GptqException;
import dev.gptq.config.DataFormat;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.ImageConfig;
import dev.gptq.text.TextEncoder;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;

/** Finds the decoder that a dataset's configuration asks for. */
final class Decoders {
    private Decoders() {}

    /** The decoder, or null when columns hold numbers; a tokenizer that cannot be read is refused here. */
    static SampleDecoder of(DatasetConfig config, JavaSparkContext spark) {
        boolean files = config.reader() == null && config.resolvedFormat() == DataFormat.IMAGES;
        if (config.text() != null) {
            if (files || config.image() != null) {
                throw GptqException.badInput(
                        "Cannot use dataset '%s': it has both images and text. Remove the section image or text.",
                        config.path());
            }
            byte[] tokenizer = Files.readInput(config.text().tokenizer(), "tokenizer", spark.hadoopConfiguration());
            new TextEncoder(tokenizer, config.text()).close();
            return new TextDecoder(config.text(), spark.broadcast(tokenizer));
        }
        if (files) {
            ImageConfig image = config.image() == null ? ImageConfig.defaults() : config.image();
            return new ImageDecoder(image, spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration())));
        }
        return config.image() == null ? null : new ImageDecoder(config.image(), null);
    }
}
