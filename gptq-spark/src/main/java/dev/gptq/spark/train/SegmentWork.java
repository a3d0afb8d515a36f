package dev.gptq.spark.train;

import dev.gptq.spark.exchange.StepWork;
import dev.gptq.spark.task.ExecutorModels;
import dev.gptq.train.LaneGradient;
import dev.gptq.train.LossLimit;
import dev.gptq.train.ParameterPiece;
import dev.gptq.train.RoundingTrainer;
import dev.gptq.train.RoundingTrainer.StepResult;
import dev.gptq.train.StudentParameters;
import java.util.List;

/** Training as the exchange sees it: lanes from the store, slices from a trainer of this JVM's pieces. */
final class SegmentWork implements StepWork {
    private final Segment segment;
    private final ExecutorModels.Lease models;
    private final RoundingTrainer trainer;
    private final SegmentSlices slices;
    private final List<StepResult> history;
    private final StepReporter reporter;

    /**
     * @param history of all steps before, to which those of the segment are added
     * @param reporter null in JVMs that do not report
     */
    SegmentWork(
            Segment segment,
            ExecutorModels.Lease models,
            RoundingTrainer trainer,
            SegmentSlices slices,
            List<StepResult> history,
            StepReporter reporter) {
        this.segment = segment;
        this.models = models;
        this.trainer = trainer;
        this.slices = slices;
        this.history = history;
        this.reporter = reporter;
    }

    @Override
    public int[] borders() {
        return slices.borders();
    }

    @Override
    public int numbers(int slice) {
        return slices.endPiece(slice) - slices.firstPiece(slice);
    }

    @Override
    public void write(int slice, float[] parameters) {
        for (int piece = slices.firstPiece(slice); piece < slices.endPiece(slice); piece++) {
            trainer.writePiece(piece, parameters);
        }
    }

    @Override
    public int lanes(int step) {
        return segment.schedule().step(step).lanes().size();
    }

    @Override
    public LaneGradient lane(int step, int lane, float[] parameters) {
        StudentParameters student = new StudentParameters(step, parameters, trainer.quantizedFraction());
        return segment.lanes().compute(models, student, segment.schedule().step(step), lane);
    }

    @Override
    public void update(
            int step, int slice, float[] gradient, int position, float[] parameters, double[] numbers, int numbersAt) {
        int first = slices.firstPiece(slice);
        for (int piece = first; piece < slices.endPiece(slice); piece++) {
            ParameterPiece elements = trainer.pieces().get(piece);
            int at = position + elements.from() - slices.borders()[slice];
            numbers[numbersAt + piece - first] = trainer.updatePiece(piece, gradient, at);
            trainer.writePiece(piece, parameters);
        }
    }

    @Override
    public void begin(int step, float[] parameters) {
        if (reporter != null) {
            reporter.begin(new StudentParameters(step, parameters, trainer.quantizedFraction()));
        }
    }

    @Override
    public void finish(int step, double[] losses, double[] numbers, float[] parameters) {
        StepResult result = trainer.finishStep(losses[0], numbers, parameters);
        trainer.requireBelow(LossLimit.of(history, segment.divergenceFactor()), result, parameters);
        history.add(result);
        if (reporter != null) {
            reporter.report(result, LaneGradient.layers(losses));
        }
    }
}
