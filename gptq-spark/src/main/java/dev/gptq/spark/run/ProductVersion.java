package dev.gptq.spark.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of spark-gptq, which the build wrote beside this class. */
final class ProductVersion {
    private static final String FILE = "version.properties";

    private ProductVersion() {}

    static String read() {
        Properties properties = new Properties();
        try (InputStream file = ProductVersion.class.getResourceAsStream(FILE)) {
            properties.load(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("version");
    }
}
