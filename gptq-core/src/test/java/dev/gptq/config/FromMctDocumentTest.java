package dev.gptq.config;

import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class FromMctDocumentTest {
    private static final Pattern KEY =
            Pattern.compile("`((?:model|data|quantization|gptq|output)(?:\\.[a-z_0-9]+)*)[`:]");

    @Test
    void everyKeyThatIsNamedIsOne() throws IOException {
        Matcher keys = KEY.matcher(page());
        int found = 0;
        while (keys.find()) {
            assertThat(ConfigKeys.at(keys.group(1))).as(keys.group(1)).isNotNull();
            found++;
        }
        assertThat(found).isGreaterThan(40);
    }

    @Test
    void everyFieldOfTheMirroredClassesIsThere() throws IOException {
        Set<String> ours = Set.of("rounding_phases", "error_compensation_config");
        for (Class<?> type :
                List.of(GradientPTQConfig.class, GPTQHessianScoresConfig.class, QFractionLinearAnnealingConfig.class)) {
            for (RecordComponent component : type.getRecordComponents()) {
                String name = component.getName().replaceAll("([A-Z])", "_$1").toLowerCase();
                String field = name.equals("quantizer_parameters_override") ? "gptq_quantizer_params_override" : name;
                if (!ours.contains(field)) {
                    assertThat(page()).contains("| `" + field + "` |");
                }
            }
        }
    }

    private static String page() throws IOException {
        return Files.readString(Path.of("FROM_MCT.md"));
    }
}
