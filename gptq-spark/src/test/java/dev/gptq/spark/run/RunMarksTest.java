package dev.gptq.spark.run;

import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.MDC;

import static org.assertj.core.api.Assertions.assertThat;

class RunMarksTest {
    @Test
    void logsOfExecutorsCarryTheRunAndTheApplicationsOwnMarksComeBack() {
        JavaSparkContext spark = TestSpark.context();
        spark.setJobGroup("mine", "my job");
        MDC.put(RunMarks.LOG_KEY, "outer");
        try {
            try (RunMarks marks = new RunMarks(spark, "run-1", "hdfs:///models/m.onnx")) {
                marks.enter("train");

                assertThat(spark.getLocalProperty("spark.job.description")).isEqualTo("gptq train m.onnx");
                assertThat(spark.getLocalProperty("spark.jobGroup.id")).isEqualTo("run-1");
                assertThat(MDC.get(RunMarks.LOG_KEY)).isEqualTo("run-1");
                List<String> logged = spark.parallelize(List.of(1), 1)
                        .map(one -> String.valueOf(MDC.get(RunMarks.LOG_KEY)))
                        .collect();
                assertThat(logged).containsExactly("run-1");
            }
            assertThat(spark.getLocalProperty("spark.job.description")).isEqualTo("my job");
            assertThat(spark.getLocalProperty("spark.jobGroup.id")).isEqualTo("mine");
            assertThat(MDC.get(RunMarks.LOG_KEY)).isEqualTo("outer");
        } finally {
            spark.clearJobGroup();
            MDC.remove(RunMarks.LOG_KEY);
        }
    }

    @Test
    void everyStageOfARunNamesItsJobsAndTheyAreOneGroup(@TempDir Path folder) throws Exception {
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data"), 1);
        Set<String> descriptions = new ConcurrentSkipListSet<>();
        Set<String> groups = new ConcurrentSkipListSet<>();
        SparkListener listener = new SparkListener() {
            @Override
            public void onJobStart(SparkListenerJobStart job) {
                String description = job.properties().getProperty("spark.job.description");
                if (description != null && description.startsWith("gptq ")) {
                    descriptions.add(description);
                    groups.add(job.properties().getProperty("spark.jobGroup.id"));
                }
            }
        };
        TestSpark.context().sc().addSparkListener(listener);
        try {
            GptqPipeline.run(
                    TestModel.config(folder, folder.resolve("run"))
                            .setGptq(TestModel.gptq(1))
                            .build(),
                    TestSpark.session(),
                    ProgressListener.NONE);
            TestSpark.context().sc().listenerBus().waitUntilEmpty();
        } finally {
            TestSpark.context().sc().removeSparkListener(listener);
        }

        assertThat(descriptions)
                .containsExactly(
                        "gptq calibrate model.onnx",
                        "gptq evaluate model.onnx",
                        "gptq hessian model.onnx",
                        "gptq prepare model.onnx",
                        "gptq train model.onnx");
        assertThat(groups).hasSize(1);
    }
}
