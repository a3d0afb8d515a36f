package dev.gptq.spark.run;

import dev.gptq.config.BadRowsConfig;
import dev.gptq.config.DatasetConfig;
import dev.gptq.config.OutputConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;

/** A whole run whose model, data and output lie in one place, which may be on any file system. */
record RunElsewhere(Path folder, byte[] expected) {
    /** Writes model and data and runs them on the local disk. */
    static RunElsewhere create(Path folder) throws IOException {
        TestModel.writeModel(folder.resolve("model.onnx"));
        TestModel.writeSamples(folder.resolve("data/day=1"), 2);
        new RunElsewhere(folder, null).run(folder.toUri().toString().replaceFirst("/$", ""));
        return new RunElsewhere(folder, Files.readAllBytes(folder.resolve("run/quantized.onnx")));
    }

    void copyTo(FileSystem files, String root) throws IOException {
        for (String name : new String[] {"model.onnx", "data"}) {
            FileUtil.copy(
                    FileSystem.getLocal(files.getConf()),
                    new org.apache.hadoop.fs.Path(folder.resolve(name).toUri()),
                    files,
                    new org.apache.hadoop.fs.Path(root, name),
                    false,
                    files.getConf());
        }
    }

    RunResult run(String root) {
        DatasetConfig local = TestModel.dataset(folder);
        DatasetConfig dataset = DatasetConfig.builder(root + "/data/day=*")
                .optFormat("parquet")
                .setInputs(local.inputs())
                .optLabel("label")
                .optId("id")
                .optBadRows(new BadRowsConfig(BadRowsConfig.Policy.QUARANTINE, 1))
                .build();
        RunConfig config = TestModel.config(folder, folder)
                .setModel(root + "/model.onnx")
                .setCalibration(dataset)
                .setGptq(TestModel.gptq(1))
                .setOutput(new OutputConfig(root + "/run", false))
                .build();
        return GptqPipeline.run(config, TestSpark.session(), ProgressListener.NONE);
    }
}
