package dev.gptq.spark.cluster;

import dev.gptq.config.GPTQHessianScoresConfig;
import dev.gptq.config.GradientPTQConfig;
import dev.gptq.config.RunConfig;
import dev.gptq.config.TrainingConfig;
import dev.gptq.spark.TestModel;
import dev.gptq.spark.cluster.ClusterDriver.Fault;
import java.nio.file.Path;
import java.util.List;

/**
 * A run of the pipeline that a driver is asked for.
 *
 * @param name of the run directory; {@code name.events} tells what happened
 * @param data folder of the samples
 * @param timeout seconds that executors wait for each other in the barrier exchange
 * @param fault what happens to an executor in the step after step {@code after}; null: nothing
 * @param after without a fault: the driver waits for its end after this step; 0: nothing of that
 */
record ClusterRun(
        String name, String exchange, String model, String data, String device, int timeout, Fault fault, int after) {
    static final String MODEL = "model.onnx";
    /** More parameters than gradients have that are folded on the driver. */
    static final String WIDE_MODEL = "wide.onnx";

    /** The tiny model on the CPU, undisturbed. */
    ClusterRun(String name, String exchange) {
        this(name, exchange, MODEL, "data-3", "cpu", 100, null, 0);
    }

    ClusterRun onModel(String other) {
        return new ClusterRun(name, exchange, other, data, device, timeout, fault, after);
    }

    ClusterRun onData(String other) {
        return new ClusterRun(name, exchange, model, other, device, timeout, fault, after);
    }

    ClusterRun onDevice(String other) {
        return new ClusterRun(name, exchange, model, data, other, timeout, fault, after);
    }

    ClusterRun withTimeout(int seconds) {
        return new ClusterRun(name, exchange, model, data, device, seconds, fault, after);
    }

    ClusterRun withFault(Fault other, int step) {
        return new ClusterRun(name, exchange, model, data, device, timeout, other, step);
    }

    ClusterRun pausedAfter(int step) {
        return new ClusterRun(name, exchange, model, data, device, timeout, null, step);
    }

    String format() {
        String faultName = fault == null ? "-" : fault.name();
        return String.join(
                " ", name, exchange, model, data, device, String.valueOf(timeout), faultName, String.valueOf(after));
    }

    static ClusterRun parse(String line) {
        List<String> words = List.of(line.split(" "));
        Fault fault = words.get(6).equals("-") ? null : Fault.valueOf(words.get(6));
        return new ClusterRun(
                words.get(0),
                words.get(1),
                words.get(2),
                words.get(3),
                words.get(4),
                Integer.parseInt(words.get(5)),
                fault,
                Integer.parseInt(words.get(7)));
    }

    Path events(Path folder) {
        return folder.resolve(name + ".events");
    }

    /** Two epochs of nine steps with checkpoints every five; one epoch of the wide model. */
    RunConfig config(Path folder) {
        GradientPTQConfig gptq = GradientPTQConfig.builder()
                .setNEpochs(model.equals(WIDE_MODEL) ? 1 : 2)
                .optHessianWeightsConfig(GPTQHessianScoresConfig.perSampleDefaults())
                .optLoss(FaultyLoss.class.getName())
                .build();
        return TestModel.config(folder, folder.resolve(name))
                .setModel(folder.resolve(model).toString())
                .setCalibration(TestModel.dataset(folder.resolve(data)))
                .setGptq(gptq)
                .optTraining(new TrainingConfig(8, 4, null, 5, 2, exchange, timeout))
                .optDevice(device)
                .optAllowUserClasses(true)
                .build();
    }
}
