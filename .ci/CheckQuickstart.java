import dev.gptq.report.MetricsFile;
import dev.gptq.report.RunMetrics;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Checks what the quickstart wrote against what the README promises; exits with 1 when something does not hold. */
class CheckQuickstart {
    private static final List<String> CONTRACT = List.of(
            "quantized.onnx",
            "ptq.onnx",
            "metrics.json",
            "details.json",
            "report.html",
            "statistics.json",
            "plan.json",
            "hessian_scores.parquet",
            "loss_weights.json",
            "checkpoints",
            "MANIFEST.json");

    private static final List<String> broken = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        Path run = Path.of(arguments[0]);
        for (String file : CONTRACT) {
            check(Files.exists(run.resolve(file)), file + " is in the run directory");
        }
        RunMetrics metrics = MetricsFile.fromJson(Files.readString(run.resolve("metrics.json")));
        double floatTop1 = metrics.floatModel().top1();
        double ptq = metrics.ptq().top1();
        double gptq = metrics.gptq().top1();
        check(floatTop1 >= 0.88, "float top-1 " + floatTop1 + " is at least .88");
        check(ptq <= gptq - 0.1, "PTQ top-1 " + ptq + " is at least .10 below GPTQ's");
        check(gptq >= 0.85, "GPTQ top-1 " + gptq + " is at least .85");
        check(metrics.gptq().sqnrDb() > metrics.ptq().sqnrDb(), "GPTQ's SQNR is above PTQ's");
        double seconds = metrics.timing().get("total_s");
        check(seconds <= 180, "the run took " + seconds + " s, at most 180");
        System.out.printf("quickstart: %d passed, %d failed%n", CONTRACT.size() + 5 - broken.size(), broken.size());
        System.exit(broken.isEmpty() ? 0 : 1);
    }

    private static void check(boolean holds, String claim) {
        System.out.println((holds ? "ok: " : "DOES NOT HOLD: ") + claim);
        if (!holds) {
            broken.add(claim);
        }
    }
}
