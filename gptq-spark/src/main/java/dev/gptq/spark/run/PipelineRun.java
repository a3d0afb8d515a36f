package dev.gptq.spark.run;

import java.util.List;

/** One execution of the stages in a run directory; what is there already is reused. */
final class PipelineRun {
    private final List<StageWork> works;

    PipelineRun(RunDatasets datasets) {
        works = List.of(
                new PrepareWork(datasets),
                new CalibrateWork(),
                new HessianWork(),
                new TrainWork(),
                new ExportWork(),
                new EvaluateWork(),
                new ReportWork());
    }

    /** Runs the stages that are asked for; the clock of the first one has been started. */
    RunState execute(RunContext context) {
        RunState state = new RunState();
        if (context.directory().isComplete() && context.last() == Stage.REPORT) {
            context.clock().finish("already complete");
            ReportWork.again(context, state);
            return state;
        }
        // What was complete stays so.
        Stage last = context.directory().isComplete() ? Stage.REPORT : context.last();
        for (StageWork work : works) {
            if (work.stage().compareTo(last) <= 0) {
                work.run(context, state);
            }
        }
        return state;
    }
}
