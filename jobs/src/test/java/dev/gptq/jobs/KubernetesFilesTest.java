package dev.gptq.jobs;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** conf/kubernetes against the operators' resource definitions, this project's command line and its build. */
class KubernetesFilesTest {
    private static final String APACHE = "kubernetes/apache-operator.yaml";
    private static final String KUBEFLOW = "kubernetes/kubeflow-operator.yaml";

    /** Fields of spark.apache.org/v1 by their parent. */
    private static final Map<String, Set<String>> APACHE_FIELDS = Map.of(
            "spec",
            Set.of(
                    "applicationTolerations",
                    "configMapSpecs",
                    "deploymentMode",
                    "driverArgs",
                    "driverServiceIngressList",
                    "driverSpec",
                    "executorSpec",
                    "files",
                    "jars",
                    "mainClass",
                    "proxyUser",
                    "pyFiles",
                    "runtimeVersions",
                    "sparkConf"),
            "spec.runtimeVersions",
            Set.of("jdkVersion", "scalaVersion", "sparkVersion"),
            "spec.driverSpec",
            Set.of("podTemplateSpec"),
            "spec.applicationTolerations",
            Set.of(
                    "applicationTimeoutConfig",
                    "instanceConfig",
                    "resourceRetainDurationMillis",
                    "resourceRetainPolicy",
                    "restartConfig",
                    "ttlAfterStopMillis"),
            "spec.applicationTolerations.restartConfig",
            Set.of("maxRestartAttempts", "restartBackoffMillis", "restartCounterResetMillis", "restartPolicy"));

    /** Fields of sparkoperator.k8s.io/v1beta2 by their parent. */
    private static final Map<String, Set<String>> KUBEFLOW_FIELDS = Map.of(
            "spec",
            Set.of(
                    "arguments",
                    "deps",
                    "driver",
                    "dynamicAllocation",
                    "executor",
                    "hadoopConf",
                    "image",
                    "imagePullPolicy",
                    "imagePullSecrets",
                    "mainApplicationFile",
                    "mainClass",
                    "mode",
                    "monitoring",
                    "nodeSelector",
                    "proxyUser",
                    "restartPolicy",
                    "sparkConf",
                    "sparkVersion",
                    "timeToLiveSeconds",
                    "type",
                    "volumes"),
            "spec.driver",
            Set.of(
                    "configMaps",
                    "cores",
                    "env",
                    "envFrom",
                    "gpu",
                    "javaOptions",
                    "memory",
                    "secrets",
                    "serviceAccount"),
            "spec.executor",
            Set.of("cores", "env", "envFrom", "gpu", "instances", "javaOptions", "memory", "memoryOverhead", "secrets"),
            "spec.restartPolicy",
            Set.of(
                    "onFailureRetries",
                    "onFailureRetryInterval",
                    "onSubmissionFailureRetries",
                    "onSubmissionFailureRetryInterval",
                    "type"));

    @Test
    void theApacheOperatorsResourceHasItsFieldsAndRunsTheConfigMap() throws IOException {
        Map<String, Object> resource = ConfFiles.yaml(ConfFiles.text(APACHE));

        assertThat(resource)
                .containsEntry("apiVersion", "spark.apache.org/v1")
                .containsEntry("kind", "SparkApplication");
        requireFields(resource, APACHE_FIELDS);
        Map<String, Object> spec = ConfFiles.section(resource, "spec");
        assertThat(spec.get("deploymentMode")).isIn("ClusterMode", "ClientMode");
        assertThat(ConfFiles.section(spec, "applicationTolerations").get("resourceRetainPolicy"))
                .isIn("Always", "Never", "OnFailure");
        assertThat(ConfFiles.section(spec, "applicationTolerations", "restartConfig")
                        .get("restartPolicy"))
                .isIn("Always", "Never", "OnFailure", "OnInfrastructureFailure");
        assertThat(ConfFiles.section(spec, "runtimeVersions"))
                .containsEntry("sparkVersion", ConfFiles.property("spark.version"))
                .containsEntry("scalaVersion", ConfFiles.property("scala.binary.version"));
        // The operator has no other types there than text.
        assertThat(ConfFiles.section(spec, "sparkConf").values()).allMatch(value -> value instanceof String);
        assertThat(spec.get("mainClass")).isEqualTo(GptqCommand.class.getName());
        requireRun(spec.get("driverArgs"));
    }

    @Test
    void theKubeflowOperatorsResourceHasItsFieldsAndRunsTheConfigMap() throws IOException {
        Map<String, Object> resource = ConfFiles.yaml(ConfFiles.text(KUBEFLOW));

        assertThat(resource)
                .containsEntry("apiVersion", "sparkoperator.k8s.io/v1beta2")
                .containsEntry("kind", "SparkApplication");
        requireFields(resource, KUBEFLOW_FIELDS);
        Map<String, Object> spec = ConfFiles.section(resource, "spec");
        assertThat(spec).containsKeys("driver", "executor", "mainApplicationFile", "sparkVersion", "type");
        assertThat(spec.get("type")).isEqualTo("Java");
        assertThat(spec.get("mode")).isIn("cluster", "client");
        assertThat(spec.get("sparkVersion")).isEqualTo(ConfFiles.property("spark.version"));
        assertThat(spec.get("mainClass")).isEqualTo(GptqCommand.class.getName());
        requireRun(spec.get("arguments"));
        Map<String, Object> mount = Map.of("name", "gptq-run", "path", "/etc/gptq");
        assertThat(ConfFiles.section(spec, "driver")).containsEntry("configMaps", List.of(mount));
    }

    @Test
    void theImageHoldsWhatTheResourcesNameAndIsMadeOfWhatTheBuildMakes() throws IOException {
        String dockerfile = ConfFiles.text("kubernetes/Dockerfile");
        ConfFiles.requireInstalled(ConfFiles.text(APACHE));
        ConfFiles.requireInstalled(ConfFiles.text(KUBEFLOW));

        assertThat(dockerfile)
                .contains("apache/spark:" + ConfFiles.property("spark.version") + "-scala"
                        + ConfFiles.property("scala.binary.version") + "-java17");
        Matcher copies = Pattern.compile("(?m)^COPY (\\S+) (\\S+)$").matcher(dockerfile);
        int found = 0;
        while (copies.find()) {
            found++;
            String source = copies.group(1);
            if (source.contains("*")) {
                Path jar = Path.of("jobs/target/gptq-jobs-0.1.0-SNAPSHOT-all.jar");
                assertThat(FileSystems.getDefault()
                                .getPathMatcher("glob:" + source)
                                .matches(jar))
                        .isTrue();
                assertThat(copies.group(2)).isEqualTo("/opt/spark-gptq/gptq-jobs-all.jar");
            } else {
                assertThat(ConfFiles.HOME.resolve(source)).exists();
                assertThat(copies.group(2)).isEqualTo("/opt/spark-gptq/" + source);
            }
            assertThat(ConfFiles.text("kubernetes/Dockerfile.dockerignore")).contains("!" + source);
        }
        assertThat(found).isEqualTo(2);
        assertThat(Files.readString(ConfFiles.HOME.resolve("jobs/pom.xml")))
                .contains("<shadedClassifierName>all</shadedClassifierName>");
    }

    private static void requireFields(Map<String, Object> resource, Map<String, Set<String>> fields) {
        assertThat(resource).containsOnlyKeys("apiVersion", "kind", "metadata", "spec");
        fields.forEach((path, names) -> assertThat(names)
                .containsAll(ConfFiles.section(resource, path.split("\\.")).keySet()));
    }

    private static void requireRun(Object arguments) throws IOException {
        List<String> words = ((List<?>) arguments).stream().map(String::valueOf).toList();
        assertThat(words).startsWith("quantize", "/etc/gptq/run.yaml");
        assertThat(ConfFiles.run(ConfFiles.overrides(words)).output().path()).startsWith("s3a://");
    }
}
