package dev.gptq.export;

import dev.gptq.calibrate.QuantizationGrid;
import dev.gptq.calibrate.QuantizedLayer;
import dev.gptq.graph.ComparePoint;
import dev.gptq.graph.ElementType;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class StoredKernelTest {
    private static final ComparePoint POINT = new ComparePoint("conv", "y", "w", "b", 0);
    private static final long[] SHAPE = {2, 3};

    @Test
    void symmetricIntegersAreStoredAsTheyAre() {
        QuantizationGrid grid = new QuantizationGrid(0, new float[] {1, 2}, new int[2], -128, 127);
        int[] values = {-128, 0, 127, 5, -6, 7};

        StoredKernel stored = StoredKernel.of(new QuantizedLayer(POINT, grid, values, null), SHAPE, false);

        assertThat(stored.zeroPoint()).isZero();
        assertThat(stored.values()).containsExactly(-128, 0, 127, 5, -6, 7);
    }

    @Test
    void uniformGridsOfUpToSevenBitsEndAtZeroPointZero() {
        QuantizationGrid grid = new QuantizationGrid(0, new float[] {1, 2}, new int[] {0, 127}, 0, 127);
        int[] values = {0, 64, 127, 0, 64, 127};

        StoredKernel stored = StoredKernel.of(new QuantizedLayer(POINT, grid, values, null), SHAPE, false);

        assertThat(stored.zeroPoint()).isZero();
        assertThat(stored.values()).containsExactly(0, 64, 127, -127, -63, 0);
    }

    @Test
    void eightBitChannelsAreBroughtToOneZeroPoint() {
        QuantizationGrid grid = new QuantizationGrid(0, new float[] {1, 2}, new int[] {130, 100}, 0, 255);
        int[] values = {0, 130, 200, 0, 100, 225};

        StoredKernel stored = StoredKernel.of(new QuantizedLayer(POINT, grid, values, null), SHAPE, false);

        int[] centred = new int[values.length];
        Arrays.setAll(centred, i -> stored.values()[i] - stored.zeroPoint());
        assertThat(centred).containsExactly(-130, 0, 70, -100, 0, 125);
    }

    @Test
    void channelsTooFarApartHaveNoCommonZeroPoint() {
        QuantizationGrid grid = new QuantizationGrid(0, new float[] {1, 2}, new int[] {255, 0}, 0, 255);
        int[] values = {0, 255, 1, 0, 1, 255};

        assertThat(StoredKernel.of(new QuantizedLayer(POINT, grid, values, null), SHAPE, false)
                        .values())
                .isNull();
    }

    @Test
    void channelsRunAlongTheGridsAxis() {
        QuantizationGrid grid = new QuantizationGrid(1, new float[] {1, 1, 1}, new int[] {1, 2, 3}, 0, 15);
        int[] values = {5, 5, 5, 7, 7, 7};

        assertThat(StoredKernel.of(new QuantizedLayer(POINT, grid, values, null), SHAPE, false)
                        .values())
                .containsExactly(4, 3, 2, 6, 5, 4);
    }

    @Test
    void sixteenLevelsFitIntoFourBitsWhereverTheirZeroIs() {
        QuantizationGrid symmetric = new QuantizationGrid(0, new float[] {1, 2}, new int[2], -8, 7);
        QuantizationGrid uniform = new QuantizationGrid(-1, new float[] {1}, new int[] {3}, 0, 15);
        QuantizedLayer first = new QuantizedLayer(POINT, symmetric, new int[] {-8, 0, 7, 5, -6, 7}, null);
        QuantizedLayer second = new QuantizedLayer(POINT, uniform, new int[] {0, 3, 15, 1, 2, 4}, null);

        StoredKernel stored = StoredKernel.of(first, SHAPE, true);
        StoredKernel shifted = StoredKernel.of(second, SHAPE, true);

        assertThat(stored.type()).isEqualTo(ElementType.INT4);
        assertThat(stored.values()).containsExactly(-8, 0, 7, 5, -6, 7);
        assertThat(shifted.type()).isEqualTo(ElementType.INT4);
        assertThat(shifted.values()).containsExactly(-8, -5, 7, -7, -6, -4);
        assertThat(shifted.zeroPoint()).isEqualTo(-5);
    }

    @Test
    void channelsThatNeedMoreThanFourBitsTogetherStayBytes() {
        QuantizationGrid grid = new QuantizationGrid(0, new float[] {1, 2}, new int[] {0, 15}, 0, 15);
        int[] values = {0, 3, 15, 0, 2, 4};

        assertThat(StoredKernel.of(new QuantizedLayer(POINT, grid, values, null), SHAPE, true)
                        .type())
                .isEqualTo(ElementType.INT8);
    }
}
