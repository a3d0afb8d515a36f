package dev.gptq.spark.train;

import dev.gptq.graph.SampleBatch;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.train.StepBatches.Range;
import dev.gptq.train.TrainingData;

/** Training data that a task reads from the run directory, through what its JVM keeps in memory of it. */
record StoredTrainingData(ExecutorModels.Lease models, TrainingFolders folders) implements TrainingData {
    @Override
    public SampleBatch samples(Range range) {
        return models.readCached(folders.samples(), range.first(), range.size());
    }

    @Override
    public float[][] attention(Range range) {
        if (folders.attention() == null) {
            return null;
        }
        double[][] rows = models.numbers(folders.attention()).read(range.first(), range.size());
        float[][] weights = new float[rows.length][];
        for (int sample = 0; sample < rows.length; sample++) {
            weights[sample] = new float[rows[sample].length];
            for (int point = 0; point < rows[sample].length; point++) {
                weights[sample][point] = (float) rows[sample][point];
            }
        }
        return weights;
    }

    @Override
    public double[] teacherEnergies(Range microBatch) {
        return folders.energies() == null
                ? null
                : models.numbers(folders.energies()).read(microBatch.first() / folders.microBatchSize(), 1)[0];
    }
}
