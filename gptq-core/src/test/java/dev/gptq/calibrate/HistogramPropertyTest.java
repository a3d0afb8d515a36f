package dev.gptq.calibrate;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

import static org.assertj.core.api.Assertions.assertThat;

class HistogramPropertyTest {
    private static final int MCT_BINS = 2048;

    @Property
    void mergingGivesTheHistogramOfAllValuesInAnyOrderAndGrouping(
            @ForAll("blocks") List<float[]> blocks, @ForAll Random order) {
        List<Histogram> parts = new ArrayList<>();
        blocks.forEach(block -> parts.add(HistogramTest.histogram(block)));
        Collections.shuffle(parts, order);
        while (parts.size() > 1) {
            Histogram first = parts.remove(order.nextInt(parts.size()));
            Histogram second = parts.remove(order.nextInt(parts.size()));
            parts.add(first.merge(second));
        }
        assertThat(parts.get(0)).usingRecursiveComparison().isEqualTo(HistogramTest.histogram(concatenated(blocks)));
    }

    @Property
    void everyValueIsCountedInTheBinThatHoldsIt(@ForAll("block") float[] values) {
        Histogram histogram = HistogramTest.histogram(values);
        double[] edges = histogram.view().edges();
        long[] expected = new long[edges.length - 1];
        for (float value : values) {
            int bin = 0;
            while (bin < expected.length - 1 && value >= edges[bin + 1]) {
                bin++;
            }
            expected[bin]++;
        }
        assertThat(histogram.counts()).isEqualTo(expected);
    }

    @Property
    void theResolutionIsFinerThanMctsBins(@ForAll("block") float[] values) {
        Histogram histogram = HistogramTest.histogram(values);
        double range = (double) histogram.max() - histogram.min();
        boolean finerThanFloat32 =
                range < Math.ulp(Math.max(Math.abs(histogram.min()), Math.abs(histogram.max()))) * MCT_BINS;
        assertThat(finerThanFloat32 || histogram.binWidth() <= range / MCT_BINS).isTrue();
        assertThat(histogram.counts().length).isLessThanOrEqualTo(Histogram.MAX_BINS);
    }

    @Provide
    Arbitrary<List<float[]>> blocks() {
        return block().list().ofMinSize(1).ofMaxSize(8);
    }

    /** Values around a shift, in blocks of very different spread, some of them powers of two. */
    @Provide
    Arbitrary<float[]> block() {
        Arbitrary<Float> powers = Arbitraries.integers()
                .between(-6, 6)
                .flatMap(exponent ->
                        Arbitraries.of((float) Math.scalb(1.0, exponent), -(float) Math.scalb(1.0, exponent)));
        Arbitrary<Integer> spreads = Arbitraries.integers().between(-6, 6);
        Arbitrary<Float> shifts = Arbitraries.floats().between(-4, 4);
        return Combinators.combine(spreads, shifts).flatAs((spread, shift) -> {
            float limit = (float) Math.scalb(1.0, spread);
            Arbitrary<Float> spreadOut =
                    Arbitraries.floats().between(-limit, limit).ofScale(9).map(value -> shift + value);
            return Arbitraries.oneOf(powers, spreadOut)
                    .list()
                    .ofMinSize(1)
                    .ofMaxSize(60)
                    .map(HistogramPropertyTest::toArray);
        });
    }

    private static float[] toArray(List<Float> values) {
        float[] array = new float[values.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = values.get(i);
        }
        return array;
    }

    private static float[] concatenated(List<float[]> blocks) {
        List<Float> all = new ArrayList<>();
        for (float[] block : blocks) {
            for (float value : block) {
                all.add(value);
            }
        }
        return toArray(all);
    }
}
