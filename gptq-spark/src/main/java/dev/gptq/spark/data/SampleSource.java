package dev.gptq.spark.data;

import java.util.List;
import org.apache.spark.api.java.JavaPairRDD;

/** A dataset as it lies outside; opening one checks all that can be checked without reading every sample. */
interface SampleSource {
    /** Rows of the dataset, bad ones included. */
    long count();

    /** Files of the dataset with size and time, in a fixed order: what tells an unchanged dataset from a changed one. */
    List<String> identity();

    /** Whether ids are known before samples are decoded, so that a limit spares decoding the others. */
    boolean knowsIds();

    /**
     * All wanted samples, encoded, in any order; bad rows as {@link SampleKeys#badRow}, failures as {@link SampleKeys#failure}.
     */
    JavaPairRDD<OrderKey, byte[]> samples(SampleKeys keys);
}
