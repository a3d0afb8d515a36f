package dev.gptq.jobs;

import dev.gptq.GptqException;
import dev.gptq.config.RunConfig;
import dev.gptq.config.RunConfigReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** Reads a configuration file of this machine. */
final class ConfigFile {
    private ConfigFile() {}

    /** @throws GptqException BAD_INPUT for what it holds, IO when it cannot be read */
    static RunConfig read(Path file, List<String> overrides) {
        try {
            return RunConfigReader.read(Files.readString(file), file.toString(), overrides);
        } catch (NoSuchFileException e) {
            throw GptqException.io(
                    e,
                    "Cannot read configuration %s: there is no such file. Create one with 'gptq config --print-defaults'.",
                    file);
        } catch (CharacterCodingException e) {
            throw GptqException.badInput("Cannot read configuration %s: it is not UTF-8 text. Save it as UTF-8.", file);
        } catch (IOException e) {
            throw GptqException.io(
                    e, "Cannot read configuration %s: %s. Check the path and its permissions.", file, e.getMessage());
        }
    }
}
