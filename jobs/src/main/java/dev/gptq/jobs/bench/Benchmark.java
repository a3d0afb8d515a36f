package dev.gptq.jobs.bench;

import java.util.List;

/** One subject that can be measured. */
interface Benchmark {
    /** Measures; what it starts has ended when it returns. */
    List<Measurement> run(BenchContext context) throws Exception;
}
