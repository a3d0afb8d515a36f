package dev.gptq.spark.data;

import java.util.List;
import org.apache.spark.api.java.JavaPairRDD;

/** A dataset as it lies outside; opening one checks all that can be checked without reading every sample. */
interface SampleSource {
    /** Samples in the dataset. */
    long count();

    /** Files of the dataset with size and time, in a fixed order: what tells an unchanged dataset from a changed one. */
    List<String> identity();

    /** All wanted samples, encoded, in any order; failures as {@link SampleKeys#failure}. */
    JavaPairRDD<OrderKey, byte[]> samples(SampleKeys keys);
}
