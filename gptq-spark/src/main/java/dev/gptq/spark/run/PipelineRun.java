package dev.gptq.spark.run;

import dev.gptq.spark.data.SamplePreparation;
import java.util.List;

/** One execution of the stages in a run directory; what is there already is reused. */
final class PipelineRun {
    private final List<StageWork> works;

    /** {@code evaluation} is null without an evaluation dataset. */
    PipelineRun(SamplePreparation calibration, SamplePreparation evaluation) {
        works = List.of(
                new PrepareWork(calibration, evaluation),
                new CalibrateWork(),
                new HessianWork(),
                new TrainWork(),
                new ExportWork(),
                new EvaluateWork(),
                new ReportWork());
    }

    /** Runs the stages up to {@code last}; the clock of the first one has been started. */
    RunState execute(RunContext context, Stage last) {
        RunState state = new RunState();
        for (StageWork work : works) {
            if (work.stage().compareTo(last) <= 0) {
                work.run(context, state);
            }
        }
        return state;
    }
}
