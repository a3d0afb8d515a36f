package dev.gptq.config;

import java.util.List;

/** The smallest configuration file, for tests that change one thing. */
final class Minimal {
    static final String YAML =
            """
            model: model.onnx
            data:
              calibration: {path: calibration.parquet, inputs: {input: {}}}
            gptq:
              n_epochs: 3
            output: {path: target/run}
            """;

    private Minimal() {}

    static RunConfig with(String... overrides) {
        return RunConfigReader.read(YAML, "run.yaml", List.of(overrides));
    }
}
