package dev.gptq.compensate;

import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.Graph;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Kernels that are multiplied with the same rows, as those of query, key and value are; most are alone. */
public final class KernelGroup implements Serializable {
    /** Second moments of inputs of more than this take more than a gigabyte. */
    static final int LARGEST_DEPTH = 16384;

    private final List<KernelMatrix> kernels;

    private KernelGroup(List<KernelMatrix> kernels) {
        this.kernels = List.copyOf(kernels);
    }

    /**
     * The kernels of layers that can be compensated, in the order of these. The others are rounded to nearest.
     *
     * @param prepared has each kernel for one layer alone
     */
    public static List<KernelGroup> of(Graph prepared, List<ComparePoint> points) {
        Map<RowSource, List<KernelMatrix>> bySource = new LinkedHashMap<>();
        for (KernelMatrix kernel : KernelMatrix.of(prepared, points)) {
            if (kernel.depth() <= LARGEST_DEPTH) {
                bySource.computeIfAbsent(kernel.rows(), rows -> new ArrayList<>())
                        .add(kernel);
            }
        }
        return bySource.values().stream().map(KernelGroup::new).toList();
    }

    /** The constant of its first kernel, which is in no other group. */
    public String name() {
        return first().name();
    }

    /** How many numbers the second moments of the rows are. */
    public long momentCount() {
        return (long) first().groups() * first().depth() * first().depth();
    }

    /** Any of them, where only the rows are of interest. */
    KernelMatrix first() {
        return kernels.get(0);
    }

    List<KernelMatrix> kernels() {
        return kernels;
    }
}
