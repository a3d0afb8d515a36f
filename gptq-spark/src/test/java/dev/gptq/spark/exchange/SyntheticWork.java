package dev.gptq.spark.exchange;

import dev.gptq.train.LaneGradient;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Parameters of any number without a model: gradients depend on step, lane, element and parameter. */
class SyntheticWork implements StepWork {
    private final int[] borders;
    private final int lanes;
    private final int raggedEvery;
    final List<String> finished = new ArrayList<>();
    float[] last;

    /** Every {@code raggedEvery}-th step has a single lane. */
    SyntheticWork(int elements, int slice, int lanes, int raggedEvery) {
        int slices = (elements + slice - 1) / slice;
        this.borders = new int[slices + 1];
        for (int i = 0; i <= slices; i++) {
            borders[i] = Math.min(elements, i * slice);
        }
        this.lanes = lanes;
        this.raggedEvery = raggedEvery;
    }

    @Override
    public int[] borders() {
        return borders;
    }

    @Override
    public int numbers(int slice) {
        return 1 + slice % 2;
    }

    @Override
    public void write(int slice, float[] parameters) {
        for (int i = borders[slice]; i < borders[slice + 1]; i++) {
            parameters[i] = i % 17 * 0.3f;
        }
    }

    @Override
    public int lanes(int step) {
        return step % raggedEvery == raggedEvery - 1 ? 1 : lanes;
    }

    @Override
    public LaneGradient lane(int step, int lane, float[] parameters) {
        float[] gradient = new float[parameters.length];
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] = parameters[i] * (0.1f + 0.01f * lane) + (i * 31 + lane * 7 + step) % 101 * 1e-3f;
        }
        double loss = 0.1 * lane + 1.0 / (step + 3);
        return new LaneGradient(new double[] {loss, loss / 3, loss / 7 - lane}, gradient);
    }

    @Override
    public void update(
            int step, int slice, float[] gradient, int position, float[] parameters, double[] numbers, int numbersAt) {
        double sum = 0;
        for (int i = 0; i < borders[slice + 1] - borders[slice]; i++) {
            parameters[borders[slice] + i] -= 0.05f * gradient[position + i];
            sum += gradient[position + i];
        }
        for (int n = 0; n < numbers(slice); n++) {
            numbers[numbersAt + n] = sum + n;
        }
    }

    @Override
    public void finish(int step, double[] losses, double[] numbers, float[] parameters) {
        double sum = 0;
        for (double number : numbers) {
            sum += number;
        }
        finished.add(step + " " + Arrays.toString(losses) + " " + sum);
        last = parameters;
    }
}
