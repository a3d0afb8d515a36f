package dev.gptq.spark.run;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.spark.data.RunFiles;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;

/**
 * A run's output directory, held against other processes until closed. MANIFEST.json is written last: with it the run is
 * complete, without it what is there is reused by the same run.
 */
final class RunDirectory implements AutoCloseable {
    static final String QUANTIZED_MODEL = "quantized.onnx";
    static final String PTQ_MODEL = "ptq.onnx";
    static final String METRICS = "metrics.json";
    static final String REPORT = "report.html";
    static final String STATISTICS = "statistics.json";
    static final String PLAN = "plan.json";
    static final String HESSIAN_SCORES = "hessian_scores.parquet";
    static final String CHECKPOINTS = "checkpoints";
    static final String CALIBRATION_SAMPLES = "samples/calibration";
    static final String EVALUATION_SAMPLES = "samples/evaluation";
    static final String SCORES = "samples/scores";
    static final String TEACHER_ENERGIES = "samples/energies";
    static final String MANIFEST = "MANIFEST.json";

    private static final String SAMPLES = "samples";

    /** What may be deleted in a directory whose results are to be replaced; anything else in it stays. */
    private static final List<String> OWN_FILES = List.of(
            MANIFEST,
            Fingerprint.FILE_NAME,
            QUANTIZED_MODEL,
            PTQ_MODEL,
            METRICS,
            REPORT,
            STATISTICS,
            PLAN,
            HESSIAN_SCORES,
            CHECKPOINTS,
            SAMPLES);

    private final RunFiles files;
    private final RunLock lock;
    private final boolean complete;
    private final boolean created;

    private RunDirectory(RunFiles files, RunLock lock, boolean complete, boolean created) {
        this.files = files;
        this.lock = lock;
        this.complete = complete;
        this.created = created;
    }

    /**
     * Opens a directory for a run: empty, or with an unfinished or finished run of the same fingerprint.
     *
     * @param overwrite whether a finished or another run may be replaced; an unfinished one of the same fingerprint is
     *     still continued
     * @throws GptqException IO when it cannot be written, is in use, or holds something that may not be replaced
     */
    static RunDirectory open(String path, boolean overwrite, Fingerprint fingerprint, Configuration hadoop) {
        RunFiles files = RunFiles.of(path, hadoop);
        boolean created = files.create();
        RunLock lock = RunLock.acquire(files);
        try {
            boolean complete = claim(files, overwrite, fingerprint);
            return new RunDirectory(files, lock, complete, created);
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /** Whether the same run is complete in the directory. */
    private static boolean claim(RunFiles files, boolean overwrite, Fingerprint fingerprint) {
        List<String> names = new ArrayList<>(files.list(""));
        names.remove(RunLock.FILE_NAME);
        boolean same = names.contains(Fingerprint.FILE_NAME)
                && fingerprint.equals(Fingerprint.fromJson(files.readText(Fingerprint.FILE_NAME)));
        boolean complete = same && names.containsAll(Set.of(MANIFEST, METRICS, REPORT, QUANTIZED_MODEL, PTQ_MODEL));
        if (same && !(complete && overwrite)) {
            return complete;
        }
        if (!names.isEmpty() && !overwrite) {
            throw new GptqException(
                    ErrorCode.IO,
                    "Cannot use run directory '" + files.root() + "': it holds "
                            + (names.contains(Fingerprint.FILE_NAME) ? "a different run" : "other files")
                            + ". Choose another output.path, or replace it with --set output.overwrite=true.");
        }
        OWN_FILES.forEach(files::delete);
        files.writeText(Fingerprint.FILE_NAME, fingerprint.toJson());
        return false;
    }

    /** Whether the run was complete when it was opened. */
    boolean isComplete() {
        return complete;
    }

    RunFiles files() {
        return files;
    }

    /** All files of the run with their checksums, except the manifest. */
    List<RunFiles.Checksum> checksums() {
        List<RunFiles.Checksum> checksums = new ArrayList<>();
        for (String name : OWN_FILES) {
            if (!name.equals(MANIFEST) && files.exists(name)) {
                checksums.addAll(files.checksums(name));
            }
        }
        return checksums;
    }

    /** Deletes what this run has left when it ended before its first stage was done. */
    void discard() {
        OWN_FILES.forEach(files::delete);
    }

    @Override
    public void close() {
        lock.close();
        if (created) {
            files.deleteIfEmpty();
        }
    }
}
