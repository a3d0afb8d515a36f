package dev.gptq.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gptq.config.RunConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** conf/airflow, read by Python with stand-ins for Airflow's classes that write down what they are given. */
class AirflowDagTest {
    private static final String DAG = "airflow/gptq_daily.py";

    private static final String RECORDER =
            """
            import json, runpy, sys, types
            tasks = []
            class Operator:
                def __init__(self, **arguments):
                    tasks.append(arguments)
                def __rshift__(self, other):
                    return other
            class Dag:
                def __init__(self, **arguments):
                    tasks.append({"dag": sorted(arguments)})
                def __enter__(self):
                    return self
                def __exit__(self, *error):
                    return False
            def module(name, **names):
                sys.modules[name] = types.ModuleType(name)
                sys.modules[name].__dict__.update(names)
            for name in ["airflow", "airflow.providers", "airflow.providers.apache",
                         "airflow.providers.apache.spark", "airflow.providers.apache.spark.operators"]:
                module(name)
            module("airflow.sdk", DAG=Dag)
            module("airflow.providers.apache.spark.operators.spark_submit", SparkSubmitOperator=Operator)
            sys.dont_write_bytecode = True
            runpy.run_path(sys.argv[1])
            print(json.dumps(tasks))
            """;

    /** What SparkSubmitOperator takes, as far as it is of use here. */
    private static final Set<String> OPERATOR_ARGUMENTS = Set.of(
            "application",
            "application_args",
            "conf",
            "conn_id",
            "deploy_mode",
            "driver_memory",
            "env_vars",
            "executor_cores",
            "executor_memory",
            "files",
            "java_class",
            "name",
            "num_executors",
            "task_id",
            "total_executor_cores");

    @TempDir
    private static Path folder;

    private static JsonNode tasks;

    @BeforeAll
    static void read() throws Exception {
        Path script = Files.writeString(folder.resolve("recorder.py"), RECORDER);
        Path out = folder.resolve("tasks.json");
        Process python;
        try {
            python = new ProcessBuilder(
                            "python3",
                            script.toString(),
                            ConfFiles.CONF.resolve(DAG).toString())
                    .redirectOutput(out.toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        } catch (IOException e) {
            assumeTrue(false, "there is no python3 to read the DAG with");
            return;
        }
        assertThat(python.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(python.exitValue()).isZero();
        tasks = new ObjectMapper().readTree(out.toFile());
    }

    @Test
    void theOperatorsGetArgumentsThatTheyHave() throws IOException {
        assertThat(tasks.get(0).get("dag").toString()).contains("dag_id", "schedule", "start_date", "catchup");
        for (JsonNode task : operators()) {
            Set<String> names = new TreeSet<>();
            task.fieldNames().forEachRemaining(names::add);
            assertThat(OPERATOR_ARGUMENTS).containsAll(names);
            assertThat(task.get("java_class").asText()).isEqualTo(GptqCommand.class.getName());
        }
        ConfFiles.requireInstalled(ConfFiles.text(DAG).replace("{ROOT}/conf/run.yaml", ""));
    }

    @Test
    void aDatesTaskIsTheSameRunHoweverOftenItIsRunAndAnotherDatesIsAnotherOne() throws IOException {
        List<String> check = arguments(operators().get(0), "2026-03-01");
        List<String> quantize = arguments(operators().get(1), "2026-03-01");

        assertThat(check).startsWith("quantize").contains("--dry-run");
        assertThat(quantize).startsWith("quantize").doesNotContain("--dry-run");
        RunConfig first = ConfFiles.run(ConfFiles.overrides(quantize));
        RunConfig next = ConfFiles.run(ConfFiles.overrides(arguments(operators().get(1), "2026-03-02")));
        assertThat(first.output().path()).contains("2026-03-01").doesNotContain("{");
        assertThat(first.output().overwrite()).isFalse();
        assertThat(next.output().path()).isNotEqualTo(first.output().path());
        assertThat(ConfFiles.run(ConfFiles.overrides(check)).output()).isEqualTo(first.output());
    }

    private static List<JsonNode> operators() {
        return List.of(tasks.get(1), tasks.get(2));
    }

    /** What the operator runs for a logical date: Airflow fills in the template. */
    private static List<String> arguments(JsonNode task, String date) {
        List<String> arguments = new ArrayList<>();
        task.get("application_args")
                .forEach(argument -> arguments.add(argument.asText().replace("{{ ds }}", date)));
        return arguments;
    }
}
