package dev.gptq.spark.run;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;
import dev.gptq.spark.data.RunFiles;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;

/**
 * A run's output directory, held against other processes until closed. MANIFEST.json is written last: with it the run is
 * complete, without it what is there is reused by the same run.
 */
final class RunDirectory implements AutoCloseable {
    static final String QUANTIZED_MODEL = "quantized.onnx";
    static final String PTQ_MODEL = "ptq.onnx";
    /** What is added to a model's name for the file of constants that do not fit into the model's own. */
    static final String CONSTANTS = ".data";

    static final String METRICS = "metrics.json";
    static final String DETAILS = "details.json";
    static final String REPORT = "report.html";
    static final String STATISTICS = "statistics.json";
    static final String PLAN = "plan.json";
    static final String MIXED_PRECISION = "mixed_precision.json";
    static final String MIXED_PRECISION_YAML = "mixed_precision.yaml";
    static final String SMOOTHING = "smoothing.json";
    static final String HESSIAN_SCORES = "hessian_scores.parquet";
    static final String LOSS_WEIGHTS = "loss_weights.json";
    static final String STARTING_KERNELS = "starting_kernels";
    static final String CHECKPOINTS = "checkpoints";
    static final String CALIBRATION_SAMPLES = "samples/calibration";
    static final String EVALUATION_SAMPLES = "samples/evaluation";
    static final String SCORES = "samples/scores";
    static final String TEACHER_ENERGIES = "samples/energies";
    static final String QUARANTINE = "quarantine";
    static final String TIMING = "timing.json";
    static final String MANIFEST = "MANIFEST.json";

    private static final String SAMPLES = "samples";

    /** What may be deleted in a directory whose results are to be replaced; anything else in it stays. */
    private static final List<String> OWN_FILES = List.of(
            MANIFEST,
            Fingerprint.FILE_NAME,
            QUANTIZED_MODEL,
            QUANTIZED_MODEL + CONSTANTS,
            PTQ_MODEL,
            PTQ_MODEL + CONSTANTS,
            METRICS,
            TIMING,
            DETAILS,
            REPORT,
            SMOOTHING,
            STATISTICS,
            MIXED_PRECISION,
            MIXED_PRECISION_YAML,
            PLAN,
            HESSIAN_SCORES,
            LOSS_WEIGHTS,
            STARTING_KERNELS,
            CHECKPOINTS,
            QUARANTINE,
            SAMPLES);

    private static final int DIFFERENCES_SHOWN = 5;

    private final RunFiles files;
    private final RunLock lock;
    private final Fingerprint fingerprint;
    private final boolean complete;
    private final boolean created;

    private RunDirectory(RunFiles files, RunLock lock, Fingerprint fingerprint, boolean complete, boolean created) {
        this.files = files;
        this.lock = lock;
        this.fingerprint = fingerprint;
        this.complete = complete;
        this.created = created;
    }

    /**
     * Opens a directory for a run: empty, or with an unfinished or finished run of the same fingerprint.
     *
     * @param replaces what may be replaced; an unfinished run of the same fingerprint is continued in every case
     * @throws GptqException IO when it cannot be written, is in use, or holds something that may not be replaced
     */
    static RunDirectory open(String path, Replaces replaces, Fingerprint fingerprint, Configuration hadoop) {
        RunFiles files = RunFiles.of(path, hadoop);
        boolean created = files.create();
        RunLock lock = RunLock.acquire(files);
        try {
            boolean complete = claim(files, replaces, fingerprint);
            return new RunDirectory(files.guardedBy(lock::requireHeld), lock, fingerprint, complete, created);
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /** Whether the same run is complete in the directory. */
    private static boolean claim(RunFiles files, Replaces replaces, Fingerprint fingerprint) {
        Content content = content(files, replaces, fingerprint);
        if (content == Content.OTHER || content == Content.EMPTY) {
            OWN_FILES.forEach(files::delete);
            files.writeText(Fingerprint.FILE_NAME, fingerprint.toJson());
        }
        return content == Content.COMPLETE;
    }

    /** What a directory holds for a run: nothing, the same run unfinished or complete, or others' files to be replaced. */
    enum Content {
        EMPTY,
        UNFINISHED,
        COMPLETE,
        OTHER
    }

    /** What a run may replace in its directory. */
    enum Replaces {
        NOTHING,
        OTHER_RUNS,
        /** Also the same run when it is complete. */
        EVERYTHING;

        static Replaces of(boolean overwrite) {
            return overwrite ? EVERYTHING : NOTHING;
        }
    }

    /** Looks without changing anything; IO when the run may not use the directory. */
    static Content look(RunFiles files, Replaces replaces, Fingerprint fingerprint) {
        RunLock.requireFree(files);
        return content(files, replaces, fingerprint);
    }

    private static Content content(RunFiles files, Replaces replaces, Fingerprint fingerprint) {
        List<String> names = new ArrayList<>(files.list(""));
        names.remove(RunLock.FILE_NAME);
        Fingerprint other = names.contains(Fingerprint.FILE_NAME)
                ? Fingerprint.fromJson(files.readText(Fingerprint.FILE_NAME))
                : null;
        boolean same = fingerprint.equals(other);
        // What is finished was made by one version and stays as it is; only what is unfinished would become a mixture.
        boolean complete = fingerprint.equalsButForVersion(other)
                && names.containsAll(Set.of(MANIFEST, METRICS, REPORT, QUANTIZED_MODEL, PTQ_MODEL));
        if ((same || complete) && !(complete && replaces == Replaces.EVERYTHING)) {
            return complete ? Content.COMPLETE : Content.UNFINISHED;
        }
        if (!names.isEmpty() && replaces == Replaces.NOTHING) {
            throw new GptqException(
                    ErrorCode.IO,
                    "Cannot use run directory '" + files.root() + "': it holds "
                            + (other == null
                                    ? "other files"
                                    : "a different run (" + difference(fingerprint, other) + ")")
                            + ". Choose another output.path, or replace it with --set output.overwrite=true.");
        }
        return names.isEmpty() ? Content.EMPTY : Content.OTHER;
    }

    private static String difference(Fingerprint fingerprint, Fingerprint other) {
        List<String> differences = fingerprint.differences(other);
        String shown = String.join("; ", differences.subList(0, Math.min(DIFFERENCES_SHOWN, differences.size())));
        int left = differences.size() - DIFFERENCES_SHOWN;
        return left > 0 ? shown + "; and " + left + " more" : shown;
    }

    /** Whether the run was complete when it was opened. */
    boolean isComplete() {
        return complete;
    }

    Fingerprint fingerprint() {
        return fingerprint;
    }

    RunFiles files() {
        return files;
    }

    /** Commits the run; {@code manifest} gets the checksums of all other files that stay. */
    void commit(Function<List<RunFiles.Checksum>, String> manifest, boolean keepSamples) {
        List<RunFiles.Checksum> checksums = new ArrayList<>();
        for (String name : OWN_FILES) {
            boolean stays = !name.equals(MANIFEST) && (keepSamples || !name.equals(SAMPLES));
            if (stays && files.exists(name)) {
                checksums.addAll(files.checksums(name));
            }
        }
        files.writeText(MANIFEST, manifest.apply(checksums));
        tidy(keepSamples);
    }

    /** Makes a complete run one that its next commit completes again; to be called before a file of it is changed. */
    void reopen() {
        files.delete(MANIFEST);
    }

    /** Removes what a complete run has no use for; only after its commit, for until then a resumed run needs it. */
    void tidy(boolean keepSamples) {
        if (!keepSamples) {
            files.delete(SAMPLES);
        }
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
