package dev.gptq.train;

import dev.gptq.graph.SampleBatch;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Training data of a single JVM: all numbers per sample are held in memory. */
public final class MemoryTrainingData implements TrainingData {
    private final SampleSource source;
    private final float[][] perSample;
    private final TeacherEnergies energies;
    private final Map<StepBatches.Range, double[]> known = new ConcurrentHashMap<>();

    /**
     * @param source gives samples by index
     * @param perSample sample-layer attention [sample][compare point] of all samples, or null
     * @param energies null when the loss reads none
     */
    public MemoryTrainingData(SampleSource source, float[][] perSample, TeacherEnergies energies) {
        this.source = source;
        this.perSample = perSample;
        this.energies = energies;
    }

    @Override
    public SampleBatch samples(StepBatches.Range range) {
        return source.read(range.first(), range.size());
    }

    @Override
    public float[][] attention(StepBatches.Range range) {
        int first = Math.toIntExact(range.first());
        return perSample == null ? null : Arrays.copyOfRange(perSample, first, first + range.size());
    }

    @Override
    public double[] teacherEnergies(StepBatches.Range microBatch) {
        return energies == null ? null : known.computeIfAbsent(microBatch, range -> energies.of(samples(range)));
    }
}
